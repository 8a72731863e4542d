// Prints the CID that ipfs-unixfs-importer gives to each tree named on the command line, one per line.
import fs from 'node:fs'
import path from 'node:path'
import { importer } from 'ipfs-unixfs-importer'
import { MemoryBlockstore } from 'blockstore-core'

async function * entries (dir, prefix) {
  yield { path: prefix }
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    const at = path.join(dir, entry.name)
    const name = `${prefix}/${entry.name}`
    if (entry.isDirectory()) yield * entries(at, name)
    else yield { path: name, content: fs.createReadStream(at) }
  }
}

for (const dir of process.argv.slice(2)) {
  let root
  for await (const entry of importer(entries(dir, 'root'), new MemoryBlockstore(), { profile: 'unixfs-v1-2025' })) root = entry
  console.log(root.cid.toString())
}
