import type { Choice, LaneResolver } from '@laneway/discovery'
import { endpoint, fakeResolver } from './fake-resolver.js'

/** Resolvers with a fault in them, by the place of the fault; `serving` is the port of a server, `refused` of none. */
export const faulty: Record<string, (serving: number, refused: number) => LaneResolver> = {
  match: () => ({ ...always(), match: throwing(1, () => 'sc-b') }),
  pick: () => ({ ...always(), pick: throwing(1, notReady) }),
  started: serving => ({ ...always(), pick: at(serving), started: throwing(1, () => {}) }),
  lookup: () => ({ ...always(), pick: notReady, lookup: throwing(1, async () => {}) }),
  'pick, after the wait for the first snapshot': () => ({ ...always(), pick: throwing(2, notReady) }),
  'match, after the wait for the first snapshot': () => ({
    ...always(),
    match: throwing(2, () => 'sc-b'),
    pick: notReady,
  }),
  'pick, after a connect error': (_serving, refused) => ({ ...always(), pick: throwing(2, at(refused)) }),
}

/** Throws when it is told that a request has ended. */
export const faultyAtEnd = (serving: number): LaneResolver => ({
  ...always(),
  pick: at(serving),
  finished: throwing(1, () => {}),
})

function always(): LaneResolver {
  return { ...fakeResolver({}), match: () => 'sc-b', lookup: async () => {} }
}

function notReady(): Choice {
  return { service: 'sc-b', endpoint: undefined, outcome: 'not-ready', served: undefined }
}

function at(port: number): () => Choice {
  const choice = { service: 'sc-b', endpoint: endpoint('127.0.0.1', port), outcome: 'base', served: undefined } as const
  return () => choice
}

/** Throws from the nth call on. */
function throwing<A extends unknown[], R>(nth: number, fn: (...args: A) => R): (...args: A) => R {
  let calls = 0
  return (...args) => {
    if (++calls >= nth) throw new Error('broken')
    return fn(...args)
  }
}
