import t from 'tap'
import { meshOf } from '../src/egress/service-mesh.js'

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'

/** Lines as Linux writes them; 0A is LISTEN, 01 is ESTABLISHED. */
function sockets(...ports: (number | [port: number, state: string])[]): string {
  const lines = ports.map((one, index) => {
    const [port, state] = typeof one === 'number' ? [one, '0A'] : one
    const hex = port.toString(16).toUpperCase().padStart(4, '0')
    return `   ${index}: 0100007F:${hex} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1337        0 26 1\n`
  })
  return HEAD + lines.join('')
}

t.test('a sidecar is known by the ports that take over the connections of the pod', t => {
  const cases: [name: string, sockets: string, annotations: string, mesh: string | undefined][] = [
    ['Istio', sockets(8080, 15_000, 15_001, 15_006, 15_021), '', 'Istio'],
    ['Linkerd', sockets(4_140, 4_143, 4_191), '', 'Linkerd'],
    ['IPv6 lines', `${HEAD}   0: 00000000000000000000000000000000:3A99 0:0 0A\n   1: 0:3A9E 0:0 0A\n`, '', 'Istio'],
    ['one of two ports', sockets(15_001, 4_140), '', undefined],
    ['connections to such ports', sockets([15_001, '01'], [15_006, '01']), '', undefined],
    ['no sockets', HEAD, '', undefined],
    ['nothing at all', '', '', undefined],
    ['nonsense', 'a\n\nb c d e f\n:: :: :: 0A', '', undefined],
    ['the annotation of Istio', '', 'a="b"\nsidecar.istio.io/status="{}"', 'Istio'],
    ['the annotation of Linkerd', '', 'linkerd.io/proxy-version="edge"', 'Linkerd'],
    ['the wish for an injection only', '', 'linkerd.io/inject="enabled"\nx="sidecar.istio.io/status="', undefined],
  ]
  for (const [name, text, annotations, mesh] of cases) t.equal(meshOf(text, annotations), mesh, name)
  t.end()
})
