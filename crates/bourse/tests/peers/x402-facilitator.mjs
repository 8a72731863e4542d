// The official facilitator over HTTP, against the contracts of the chain it is given.
// usage: node x402-facilitator.mjs RPC PRIVATE_KEY      prints {"url"} when it serves; ends with its standard input
import { createServer } from 'node:http'
import { x402Facilitator } from '@x402/core/facilitator'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/facilitator'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { createWalletClient, http, publicActions } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { baseSepolia } from 'viem/chains'

const [rpc, key] = process.argv.slice(2)
const account = privateKeyToAccount(key)
const wallet = createWalletClient({ account, chain: baseSepolia, transport: http(rpc), pollingInterval: 50 }).extend(publicActions)
const signer = toFacilitatorEvmSigner({
  address: account.address,
  readContract: args => wallet.readContract(args),
  verifyTypedData: args => wallet.verifyTypedData(args),
  writeContract: args => wallet.writeContract({ ...args, account, chain: baseSepolia }),
  sendTransaction: args => wallet.sendTransaction({ ...args, account, chain: baseSepolia }),
  waitForTransactionReceipt: args => wallet.waitForTransactionReceipt(args),
  getCode: args => wallet.getCode(args),
})
const facilitator = new x402Facilitator()
  .register('eip155:84532', new ExactEvmScheme(signer))
  .register('eip155:84532', new BatchSettlementEvmScheme(signer, account))

const verbs = {
  '/verify': ({ paymentPayload, paymentRequirements }) => facilitator.verify(paymentPayload, paymentRequirements),
  '/settle': ({ paymentPayload, paymentRequirements }) => facilitator.settle(paymentPayload, paymentRequirements),
}
const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
  }
  try {
    if (request.url === '/supported') return answer(200, facilitator.getSupported())
    const verb = verbs[request.url]
    if (!verb) return answer(404, { error: 'no such route' })
    let text = ''
    for await (const part of request) text += part
    answer(200, await verb(JSON.parse(text)))
  } catch (error) {
    answer(500, { error: String(error?.message ?? error) })
  }
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
process.stdin.resume().on('end', () => process.exit(0))
