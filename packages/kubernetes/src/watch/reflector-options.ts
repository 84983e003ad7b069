import type { KubeObject } from '../objects/kube-object.js'
import type { ApiClient } from './api-client.js'
import type { Selection } from './selection.js'

/** Receives what a reflector sees. */
export interface ReflectorHandler<T> {
  /** The part of an object that is kept. May throw for nonsense. */
  read(object: KubeObject): T
  /** The whole selection, by uid, after a list. The map is the handler's to keep. */
  replaced(objects: Map<string, T>, selection: Selection): void
  /** One object came, changed or (`undefined`) went. */
  changed(uid: string, value: T | undefined, before: T | undefined): void
  /** What is known is enough for this selection, too: it has the label selector of the last one. */
  covers(selection: Selection): void
  /** A watch is open: what is known is up to date, or will be in a moment. */
  live(): void
  /** The API server is lost, refuses, or talks nonsense. Called on each attempt after the first. */
  lost(error: unknown, verb: 'list' | 'watch'): void
}

/** What to mirror, and how patiently. */
export interface ReflectorOptions {
  readonly client: ApiClient
  readonly path: string
  /** Labels and names only, no spec and status. */
  readonly metadataOnly: boolean
  /** Whether the server has streaming lists, as far as the reflectors of one source know. */
  readonly server: { streamsLists: boolean }
  readonly requestTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly relistMs: number
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
  readonly random: () => number
}
