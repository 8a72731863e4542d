// Pays an x402 offer as the npm package `mppx` does.
// usage: node x402-mppx.mjs PRIVATE_KEY METHOD URL [BODY]      prints {"status", "body"} as JSON
import { Mppx } from 'mppx/client'
import { charge } from 'mppx/evm/client'
import { privateKeyToAccount } from 'viem/accounts'

const [key, method, url, body] = process.argv.slice(2)
const paying = Mppx.create({ methods: [charge({ account: privateKeyToAccount(key) })], polyfill: false })
const headers = body ? { 'content-type': 'application/json' } : {}
const answer = await paying.fetch(url, { method, headers, body })
console.log(JSON.stringify({ status: answer.status, body: await answer.json() }))
