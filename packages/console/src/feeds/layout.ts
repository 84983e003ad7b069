import type { Flow, Place, Traffic } from '../wire.js'

const BOX = { width: 168, height: 48 }
/** Above that, nobody can read the picture, and the layout takes seconds. */
const MAX_PLACES = 250

/** Where the services stand. It is computed here, so that the page has neither the library nor the work. */
export interface Layout {
  readonly places: readonly Place[]
  readonly width: number
  readonly height: number
}

/** Remembers the last layout: traffic changes all the time, who calls whom seldom. */
export function createLayout(): (flows: readonly Flow[]) => Promise<Layout & Pick<Traffic, 'error'>> {
  let known = '[]'
  let layout: Layout = { places: [], width: 0, height: 0 }
  const edges = new Set<string>()
  return async flows => {
    for (const { from, to } of flows) edges.add(JSON.stringify([from, to]))
    const pairs = [...edges].sort().map(text => JSON.parse(text) as [string, string])
    const names = new Set(pairs.flat())
    if (names.size > MAX_PLACES) {
      edges.clear()
      return { ...layout, error: `${names.size} services call each other; the map shows at most ${MAX_PLACES}` }
    }
    const key = JSON.stringify(pairs)
    if (key !== known) {
      layout = await place(pairs)
      known = key
    }
    return layout
  }
}

async function place(pairs: readonly [string, string][]): Promise<Layout> {
  // Loaded with the first traffic.
  const { Graph, layout } = await import('@dagrejs/dagre')
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 28, ranksep: 96, marginx: 12, marginy: 12 })
  graph.setDefaultEdgeLabel(() => ({}))
  // By number: the library keeps nodes in plain objects, where a service named __proto__ would write into all objects.
  const names = [...new Set(pairs.flat())]
  const idOf = new Map(names.map((name, index) => [name, `n${index}`]))
  for (const id of idOf.values()) graph.setNode(id, { ...BOX })
  for (const [from, to] of pairs) if (from !== to) graph.setEdge(idOf.get(from)!, idOf.get(to)!)
  layout(graph)
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  const places = names.map((name, index): Place => {
    const { x, y } = graph.node(`n${index}`) as { x: number; y: number }
    return { name, x: Math.round(x), y: Math.round(y) }
  })
  return { places, width: Math.ceil(width), height: Math.ceil(height) }
}
