import { runInLane } from '@laneway/core'
import type { MessagePatch, MessagePatchOptions } from '@laneway/messaging/internal'
import { giveLanes, hasLanes } from './lane-rocketmq.js'
import { resolveRocketmqOptions } from './lane-rocketmq-options.js'
import type { Methods } from './rocketmq.js'

const CLASSES = ['Producer', 'PushConsumer', 'SimpleConsumer']

/**
 * For a preload: gives lanes to the producers and consumers of rocketmq-client-nodejs, when they start. Is given what the
 * client exports, or a module of it. Loads nothing of it.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createMessagePatch({ isolates, fault, ...options }: MessagePatchOptions): MessagePatch {
  const settings = { ...resolveRocketmqOptions(options), isolates, unknown: fault }
  const give = (one: Methods) => {
    try {
      if (!hasLanes(one)) giveLanes(one, settings)
    } catch (error) {
      fault(error)
    }
  }
  return found => {
    for (const name of CLASSES) {
      const { prototype } = Object((found as Record<string, unknown>)[name]) as { prototype?: Methods }
      if (typeof prototype?.['startup'] === 'function') giveAtStartup(prototype, give)
    }
  }
}

/** Everything that needs lanes is made by `startup()`. A class of the application may call it by `super`. */
function giveAtStartup(prototype: Methods, give: (one: Methods) => void): void {
  const original = prototype['startup']!
  function startup(this: Methods, ...args: unknown[]): unknown {
    give(this)
    // Its timers and streams belong to no request.
    return runInLane(undefined, () => Reflect.apply(original, this, args))
  }
  Object.defineProperty(prototype, 'startup', { value: startup, configurable: true, writable: true })
}
