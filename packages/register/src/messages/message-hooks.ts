import type { MessagePatch, MessagePatchOptions } from '@laneway/messaging/internal'
import type { RegisterConfig } from '../config/config.js'
import type { Guard } from '../guard.js'
import type { KnownClass } from '../libraries/known-class.js'
import { whenLoaded } from '../libraries/queue-hook.js'
import { loadOnDemand } from '../on-demand.js'
import { MESSAGE_CLIENTS, type MessageClient } from './message-clients.js'

/** The clients of brokers that are hooked. */
export interface MessageHooks {
  readonly classes: Readonly<Record<string, readonly KnownClass[]>>
  /** For the diagnosis: the mode, and what became of each client met so far. */
  found(): string[]
}

/**
 * Lets messages carry lanes through the packages for brokers. Each package is loaded when its client makes its first object;
 * where it is not installed, a warning says so once, and the client goes on without lanes.
 */
export function hookMessages(
  config: RegisterConfig,
  on: (part: string) => boolean,
  guard: Guard,
  warn: (message: string) => void,
): MessageHooks {
  const { messages, isolate } = config
  if (messages === 'off') return { classes: {}, found: () => ['off'] }
  const options = { ...messageOptions(config), warn }
  const isolated = new Set(messages === 'isolate' ? isolate : [])
  const states = new Map<string, string>()
  const patches = new Map<string, MessagePatch | undefined>()

  function patchOf(part: string, name: string): MessagePatch | undefined {
    if (!patches.has(part)) patches.set(part, loadPatch(part, name))
    return patches.get(part)
  }

  function loadPatch(part: string, name: string): MessagePatch | undefined {
    try {
      const { createMessagePatch } = loadOnDemand<{ createMessagePatch(options: MessagePatchOptions): MessagePatch }>(
        `${name}/patch`,
        part,
      )
      const fault = (error: unknown) => guard.fault(part, error)
      const patch = createMessagePatch({ ...options, isolates: queue => isolated.has(queue), fault })
      states.set(part, `${part} by ${name}`)
      return patch
    } catch (error) {
      states.set(part, `${part} without lanes: ${name} cannot be loaded`)
      const [why] = String((Object(error).cause ?? error).message).split('\n')
      warn(
        `messages of ${part} carry no lane, because ${name} cannot be loaded (${why}): npm install ${name}, or set ` +
          `LANEWAY_DISABLE=${part}`,
      )
      return undefined
    }
  }

  const classes: Record<string, KnownClass[]> = {}
  for (const [part, client] of Object.entries<MessageClient>(MESSAGE_CLIENTS)) {
    const adopt = (found: object) => patchOf(part, client.package)?.(found)
    classes[part] = client.classes.map(matches => ({ matches, adopt }))
    if (!on(part)) continue
    for (const file of client.files ?? []) whenLoaded(file, module => adopt(Object(module.exports)), guard, part)
  }
  return { classes, found: () => [messages, ...states.values()] }
}

function messageOptions({ header, tag }: RegisterConfig) {
  return { ...(header !== undefined && { header }), ...(tag !== undefined && { tag }) }
}
