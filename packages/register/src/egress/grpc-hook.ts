import Module from 'node:module'
import type { ChannelPatch, LaneChannelOptions } from '@laneway/grpc/patch'
import type { Guard } from '../guard.js'
import { loadDependency } from '../on-demand.js'

interface Loader {
  _load(request: string, parent: unknown, isMain: boolean): unknown
  readonly _cache: Record<string, { exports?: unknown } | undefined>
}

/** The file of grpc-js where its clients look up the class of their channel, as `client.js` beside it requires it. */
const CHANNEL_FILE = /[\\/]build[\\/]src[\\/]channel\.js$/

/**
 * Lets every client of `@grpc/grpc-js` send its calls into lanes: generated and generic clients, those of nice-grpc, of Nest
 * and of others. The class of its channels is replaced in each copy when that is loaded, and a copy that was loaded
 * before is found among the modules. A program without grpc-js pays for one comparison per `require`.
 *
 * A bundle that contains grpc-js has no such file; there `laneChannel` serves.
 *
 * @returns the copies found so far
 */
export function hookGrpc(options: LaneChannelOptions, guard: Guard): () => number {
  const loader = Module as unknown as Loader
  const hooked = new WeakSet<object>()
  let patch: ChannelPatch | undefined
  let copies = 0

  function look(exports: unknown): void {
    const channel = exports as { ChannelImplementation?: unknown } | null
    if (typeof channel !== 'object' || channel === null || hooked.has(channel)) return
    if (typeof channel.ChannelImplementation !== 'function' || !isChannel(channel.ChannelImplementation)) return
    hooked.add(channel)
    guard.attempt('grpc', () => {
      patch ??= loadDependency<typeof import('@laneway/grpc/patch')>('@laneway/grpc/patch', 'grpc').createChannelPatch(
        options,
        error => guard.fault('grpc', error),
      )
      channel.ChannelImplementation = patch.wrapChannel(channel.ChannelImplementation)
      copies++
    })
  }

  for (const file of Object.keys(loader._cache)) if (CHANNEL_FILE.test(file)) look(loader._cache[file]?.exports)
  const { _load } = loader
  loader._load = function laneLoad(this: unknown, ...args: Parameters<Loader['_load']>): unknown {
    const exports = Reflect.apply(_load, this, args) as unknown
    const [request] = args
    if (request === './channel' || (typeof request === 'string' && CHANNEL_FILE.test(request))) look(exports)
    return exports
  }
  return () => copies
}

/** What the class of grpc-js has in all its versions. */
function isChannel({ prototype }: { prototype?: unknown }): boolean {
  return ['createCall', 'getConnectivityState', 'watchConnectivityState', 'getChannelzRef'].every(name =>
    Object.hasOwn(Object(prototype), name),
  )
}
