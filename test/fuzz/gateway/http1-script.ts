import type { Random } from './random.js'
import { type Item, plainItem, randomItem } from './request-items.js'

/** How the bytes of a connection leave. */
export type Step =
  | { readonly kind: 'write'; readonly bytes: Buffer }
  | { readonly kind: 'trickle'; readonly bytes: Buffer }
  | { readonly kind: 'pause'; readonly ms: number }
  /** Until the first so many items have their answers. */
  | { readonly kind: 'wait'; readonly items: number }

/** How a client leaves: after all answers, or before. */
export type Leave = 'after' | 'half-close' | 'end' | 'destroy' | 'reset'

/** One connection of HTTP/1, decided by its seed alone. */
export interface Script {
  readonly items: readonly Item[]
  readonly steps: readonly Step[]
  readonly leave: Leave
  /** Each item waits for the answers before it. */
  readonly inTurn: boolean
  readonly text: string
}

export function makeScript(random: Random, connection: number): Script {
  const count = random.weighted([
    [3, 1],
    [4, random.int(2, 4)],
    [3, random.int(5, 10)],
    [1, random.int(11, 25)],
  ])
  const items: Item[] = []
  for (let index = 0; index < count; index++) {
    const id = `${connection}-${index}`
    items.push(items.at(-1)?.isLast === true ? plainItem(random, id) : randomItem(random, id))
  }
  const way = random.weighted([
    [4, 'one write'],
    [2, 'a write each'],
    [3, 'in turn'],
    [2, 'cut anywhere'],
    [1, 'slow bytes'],
  ] as const)
  const leave = random.weighted<Leave>([
    [12, 'after'],
    [2, 'half-close'],
    [2, 'end'],
    [2, 'destroy'],
    [2, 'reset'],
  ])
  const text = `${way}, leaves: ${leave}\n${items.map(({ what }, index) => `  ${index} ${what}`).join('\n')}`
  return { items, steps: stepsOf(random, items, way), leave, inTurn: way === 'in turn', text }
}

type Way = 'one write' | 'a write each' | 'in turn' | 'cut anywhere' | 'slow bytes'

function stepsOf(random: Random, items: readonly Item[], way: Way): Step[] {
  const all = Buffer.concat(items.map(({ bytes }) => bytes))
  switch (way) {
    case 'one write':
      return [{ kind: 'write', bytes: all }]
    case 'a write each':
      return items.flatMap(({ bytes }): Step[] =>
        random.chance(0.3)
          ? [
              { kind: 'pause', ms: random.int(0, 10) },
              { kind: 'write', bytes },
            ]
          : [{ kind: 'write', bytes }],
      )
    case 'in turn':
      return items.flatMap(({ bytes }, index): Step[] => [
        { kind: 'wait', items: index },
        { kind: 'write', bytes },
      ])
    case 'slow bytes': {
      const slow = random.int(1, 60)
      return [
        { kind: 'trickle', bytes: all.subarray(0, slow) },
        { kind: 'write', bytes: all.subarray(slow) },
      ]
    }
    case 'cut anywhere': {
      const steps: Step[] = []
      for (let at = 0; at < all.length; ) {
        const end = Math.min(all.length, at + random.int(1, Math.max(1, Math.ceil(all.length / 4))))
        steps.push({ kind: 'write', bytes: all.subarray(at, end) })
        if (random.chance(0.5)) steps.push({ kind: 'pause', ms: random.int(0, 4) })
        at = end
      }
      return steps
    }
  }
}
