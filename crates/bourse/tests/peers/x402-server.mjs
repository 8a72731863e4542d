// A server of somebody else's, with the official Express middleware, that sells one route through a facilitator.
// usage: node x402-server.mjs FACILITATOR PAY_TO PRICE [SCHEME] [AUTHORIZER_KEY]   prints {"url"}; ends with its standard input
import express from 'express'
import { HTTPFacilitatorClient } from '@x402/core/server'
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/server'
import { ExactEvmScheme } from '@x402/evm/exact/server'
import { paymentMiddleware, x402ResourceServer } from '@x402/express'
import { privateKeyToAccount } from 'viem/accounts'

const [facilitator, payTo, price, scheme = 'exact', authorizer] = process.argv.slice(2)
const network = 'eip155:84532'
const server = new x402ResourceServer(new HTTPFacilitatorClient({ url: facilitator }))
if (scheme === 'exact') server.register(network, new ExactEvmScheme())
else {
  const key = authorizer && privateKeyToAccount(authorizer)
  server.register(network, new BatchSettlementEvmScheme(payTo, key ? { receiverAuthorizerSigner: key } : {}))
}

const app = express()
app.use(paymentMiddleware({ 'GET /sold': { accepts: { scheme, price, network, payTo }, description: 'Sold.' } }, server))
app.get('/sold', (_, response) => response.json({ sold: true }))
const listening = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${listening.address().port}` }))
})
process.stdin.resume().on('end', () => process.exit(0))
