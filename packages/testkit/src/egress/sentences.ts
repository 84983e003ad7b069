import { channels, type EgressEvent } from '@laneway/core'
import type { Test } from 'tap'
import type { EgressAdapter, EgressAnswer, EgressClient, SuiteEgressOptions } from './egress-adapter.js'
import { type FakeResolver, fakeResolver } from './fake-resolver.js'
import { type Seen, type SeenServer, seenServer } from './seen-server.js'

/** What every adapter must do: a sentence, and the test that shows it. */
export type Sentences = Record<string, (t: Test, adapter: EgressAdapter) => Promise<void>>

/** A service `sc-b` with an endpoint in base and one in gray, and a client. */
export interface Scene {
  readonly base: SeenServer
  readonly gray: SeenServer
  readonly resolver: FakeResolver
  readonly client: EgressClient
}

export async function scene(t: Test, adapter: EgressAdapter, options: SuiteEgressOptions = {}): Promise<Scene> {
  const base = await seenServer(t, 'base')
  const gray = await seenServer(t, 'gray')
  const resolver = fakeResolver({ 'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }] })
  return { base, gray, resolver, client: adapter.client(t, { resolver, warn() {}, ...options }) }
}

/** What a server saw, as it echoes it. */
export function echoed(answer: EgressAnswer): Seen {
  return JSON.parse(answer.body) as Seen
}

export const tagsOf = (server: SeenServer): string[][] => server.seen.map(one => one.tags)

/** The error of Laneway or Node that a call ends with. */
export async function failure(adapter: EgressAdapter, answer: Promise<unknown>): Promise<unknown> {
  try {
    await answer
  } catch (error) {
    return adapter.reason?.(error) ?? error
  }
  throw new Error('the call was answered')
}

/** Notes the events of `laneway:egress` until the test ends. */
export function egressEvents(t: Test): EgressEvent[] {
  const events: EgressEvent[] = []
  const note = (event: unknown) => events.push(event as EgressEvent)
  channels.egress.subscribe(note)
  t.teardown(() => channels.egress.unsubscribe(note))
  return events
}
