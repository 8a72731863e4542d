// Reads the logs of a market and of its register with ethers, from nothing but the published ABIs.
// usage: node events.mjs RPC MARKET REGISTER ABI_FOLDER      prints one JSON object a line
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Contract, JsonRpcProvider } from 'ethers'

const [rpc, market, register, folder] = process.argv.slice(2)
const provider = new JsonRpcProvider(rpc, undefined, { staticNetwork: true })

function abi(name) {
  const file = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
  return Array.isArray(file) ? file : file.abi
}

function plain(value) {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value?.toObject === 'function') {
    try {
      return Object.fromEntries(Object.entries(value.toObject()).map(([name, inner]) => [name, plain(inner)]))
    } catch {
      return [...value].map(plain)
    }
  }
  if (typeof value === 'object' && value !== null && 'hash' in value) return value.hash
  return value
}

for (const [name, address] of [['Market', market], ['CommitRegister', register]]) {
  const contract = new Contract(address, abi(name), provider)
  for (const log of await provider.getLogs({ address, fromBlock: 0 })) {
    const event = contract.interface.parseLog(log)
    if (!event) throw new Error(`${name}: a log that its ABI does not know: ${log.topics[0]}`)
    const args = Object.fromEntries(event.fragment.inputs.map((input, i) => [input.name, plain(event.args[i])]))
    const call = await provider.getTransaction(log.transactionHash)
    const sent = name === 'CommitRegister' ? contract.interface.parseTransaction(call) : null
    console.log(JSON.stringify({ contract: name, event: event.name, args, call: sent ? plain(sent.args) : null }))
  }
}
provider.destroy()
