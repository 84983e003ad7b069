// DNS of the fetch of Node, which takes no look-up of its own: the third party is on loopback.
import dns from 'node:dns'
import { lookup } from './backend.mjs'

export function resolveThird() {
  const real = dns.lookup
  dns.lookup = (hostname, ...rest) => (hostname === 'third.example' ? lookup : real)(hostname, ...rest)
}
