// Pays as the official x402 client does. Reads one request a line on standard input, answers each with one line.
//   {"key", "schemes": ["exact" | "exact-v1" | "batch-settlement" …], "rpc"?, "authorizer"?}  the first line: who pays, and how
//   {"do": "fetch", "url", "method"?, "body"?}   a request that is paid for when it must be
//   {"do": "refund", "url", "amount"?}           asks for what is left of the channel behind `url`
//   {"do": "forget"}                             loses what the client remembers of its channels
import { createInterface } from 'node:readline'
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/client'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/client'
import { toClientEvmSigner } from '@x402/evm'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { createPublicClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { baseSepolia } from 'viem/chains'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const settings = JSON.parse((await lines.next()).value)
const account = privateKeyToAccount(settings.key)
const reads = settings.rpc && createPublicClient({ chain: baseSepolia, transport: http(settings.rpc) })
const signer = reads ? toClientEvmSigner(account, reads) : account
const voucherSigner = settings.authorizer && privateKeyToAccount(settings.authorizer)

/** A client that remembers nothing yet. */
function open() {
  const client = new x402Client()
  let channels
  for (const scheme of settings.schemes) {
    if (scheme === 'exact') client.register('eip155:84532', new ExactEvmScheme(signer))
    else if (scheme === 'exact-v1') client.registerV1('base-sepolia', new ExactEvmSchemeV1(signer))
    else if (scheme === 'batch-settlement') {
      const keys = voucherSigner ? { voucherSigner, payerAuthorizer: voucherSigner.address } : {}
      channels = new BatchSettlementEvmScheme(signer, keys)
      client.register('eip155:84532', channels)
    } else throw new Error(`no such scheme: ${scheme}`)
  }
  const requests = []
  // The official client takes version 2 wherever it is offered, and gives up when it was told of version 1 alone. Such a
  // client hears of a 402 what programs of version 1 read of it: the body.
  const isOld = settings.schemes.every(scheme => scheme === 'exact-v1')
  const counted = async (...args) => {
    const answer = await fetch(...args)
    requests.push(answer.status)
    if (!isOld || answer.status !== 402) return answer
    const headers = new Headers(answer.headers)
    headers.delete('payment-required')
    return new Response(await answer.text(), { status: answer.status, headers })
  }
  return { pay: wrapFetchWithPayment(counted, client), channels, requests }
}

const decoded = value => value && JSON.parse(Buffer.from(value, 'base64').toString())

async function paid({ url, method = 'GET', body }) {
  client.requests.length = 0
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await client.pay(url, { method, headers, body: body && JSON.stringify(body) })
  const text = await answer.text()
  let content = text
  try { content = JSON.parse(text) } catch {}
  const header = answer.headers.get('payment-response') ?? answer.headers.get('x-payment-response')
  return {
    status: answer.status,
    requests: [...client.requests],
    payment: decoded(header) ?? null,
    required: decoded(answer.headers.get('payment-required')) ?? null,
    body: content,
  }
}

let client = open()
for await (const line of lines) {
  const ask = JSON.parse(line)
  let answer
  try {
    if (ask.do === 'fetch') answer = await paid(ask)
    else if (ask.do === 'refund') answer = { refund: await client.channels.refund(ask.url, { amount: ask.amount }) }
    else if (ask.do === 'forget') answer = { forgot: Boolean((client = open())) }
    else throw new Error(`no such request: ${ask.do}`)
  } catch (error) {
    answer = { error: String(error?.message ?? error) }
  }
  console.log(JSON.stringify(answer))
}
