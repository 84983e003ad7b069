import t from 'tap'
import { readTarget } from '../src/client/target.js'

const CASES: [target: string, hosts: string[], hostname: string | undefined, port: number | undefined][] = [
  ['sc-b:50051', ['sc-b'], 'sc-b', 50051],
  ['sc-b', ['sc-b'], 'sc-b', undefined],
  ['SC-B.ns.svc:1', ['SC-B.ns.svc'], 'SC-B.ns.svc', 1],
  ['dns:sc-b:50051', ['sc-b'], 'sc-b', 50051],
  ['dns:///sc-b:50051', ['sc-b'], 'sc-b', 50051],
  ['dns://8.8.8.8/sc-b:50051', ['sc-b'], 'sc-b', 50051],
  ['DNS:///sc-b', ['sc-b'], 'sc-b', undefined],
  ['127.0.0.1:80', ['127.0.0.1'], '127.0.0.1', 80],
  ['[::1]:80', ['::1'], '::1', 80],
  ['::1', ['::1'], '::1', undefined],
  ['ipv4:10.0.0.1:80', ['10.0.0.1'], '10.0.0.1', 80],
  ['ipv4:10.0.0.1:80,8.8.8.8:80', ['10.0.0.1', '8.8.8.8'], undefined, undefined],
  ['ipv6:[fd00::1]:80', ['fd00::1'], 'fd00::1', 80],
  ['unix:/tmp/a.sock', [], undefined, undefined],
  ['unix:///tmp/a.sock', [], undefined, undefined],
  ['xds:///sc-b', ['sc-b'], undefined, undefined],
  ['', [''], '', undefined],
]

for (const [target, hosts, hostname, port] of CASES) {
  t.test(`target ${JSON.stringify(target)}`, async t => {
    t.match(readTarget(target), { hosts, hostname, port })
  })
}
