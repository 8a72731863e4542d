// A Helia node that is told what to do, a line of JSON at a time. It knows nobody but whom it is told of.
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { identify } from '@libp2p/identify'
import { kadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryBlockstore } from 'blockstore-core'
import { MemoryDatastore } from 'datastore-core'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'

const swarmKey = process.argv[2]
const helia = withBitswap(
  withLibp2pLight(createHeliaLight({ blockstore: new MemoryBlockstore(), datastore: new MemoryDatastore() }), {
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionProtector: swarmKey === undefined ? undefined : preSharedKey({ psk: readFileSync(swarmKey) }),
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({ protocol: '/ipfs/lan/kad/1.0.0', clientMode: false, peerInfoMapper: (info) => info })
    }
  })
)
await helia.start()
const files = unixfs(helia)

const verbs = {
  connect: async ({ address }) => {
    const connection = await helia.libp2p.dial(multiaddr(address))
    return { peer: connection.remotePeer.toString() }
  },
  add: async ({ path }) => ({ cid: (await files.addByteStream(createReadStream(path))).toString() }),
  // Reads a file through and says what it is and how long that took.
  get: async ({ cid, within = 60_000 }) => {
    const began = performance.now()
    const hash = createHash('sha256')
    let bytes = 0
    for await (const piece of files.cat(CID.parse(cid), { signal: AbortSignal.timeout(within) })) {
      hash.update(piece)
      bytes += piece.length
    }
    return { bytes, sha256: hash.digest('hex'), seconds: (performance.now() - began) / 1000 }
  },
  provide: async ({ cid }) => {
    await helia.libp2p.contentRouting.provide(CID.parse(cid), { signal: AbortSignal.timeout(30_000) })
    return {}
  },
  find: async ({ cid }) => {
    const peers = []
    const signal = AbortSignal.timeout(30_000)
    for await (const peer of helia.libp2p.contentRouting.findProviders(CID.parse(cid), { signal })) {
      peers.push((peer.id ?? peer).toString())
    }
    return { peers }
  }
}

const say = (words) => process.stdout.write(JSON.stringify(words) + '\n')
say({ address: helia.libp2p.getMultiaddrs()[0].toString() })
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  try {
    say(await verbs[order.verb](order))
  } catch (error) {
    say({ error: `${error.name}: ${error.message}` })
  }
}
process.exit(0)
