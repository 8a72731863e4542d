// Signs in as the npm package `siwe` does: nonce from the gateway, message by the package, signature by ethers.
// usage: node siwe.mjs GATEWAY PRIVATE_KEY      prints the session as JSON
import { Wallet } from 'ethers'
import { SiweMessage } from 'siwe'

const [gateway, key] = process.argv.slice(2)
const wallet = new Wallet(key)

async function post(path, body) {
  const answer = await fetch(new URL(path, gateway), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

const { nonce, domain, uri, chainId } = await post('/api/v1/auth/siwe/nonce', {})
const message = new SiweMessage({
  domain,
  address: wallet.address,
  statement: 'Sign in to Bourse.',
  uri,
  version: '1',
  chainId,
  nonce,
}).prepareMessage()
const signature = await wallet.signMessage(message)
console.log(JSON.stringify(await post('/api/v1/auth/siwe/verify', { message, signature })))
