import { isDisabled } from '@laneway/core/internal'
import { tagConsumer } from './consumer.js'
import { type AmqpSettings, type LaneAmqpOptions, PARTS, resolveAmqpOptions } from './lane-amqp-options.js'
import { tagPublisher } from './publisher.js'

type Callable = (this: any, ...args: any[]) => any

/** Set on what has lanes already. Registered: two copies of this package may meet one channel. */
const kLanes = Symbol.for('laneway.amqp.lanes')

/**
 * Gives lanes to a connection or a channel of amqplib or amqp-connection-manager. What is published carries the lane of
 * the code that publishes; each message is handled in its lane, none included. `consume` takes `lanes: 'isolate'`.
 *
 * A connection gives lanes to the channels that it makes from now on. What is given is changed and returned, so it stays
 * what it is to everybody else. A second call changes nothing.
 *
 * Under `LANEWAY_DISABLE` with `all` or `amqp` nothing is changed; amqplib ignores `lanes` of `consume`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function laneAmqp<T extends object>(target: T, options: LaneAmqpOptions = {}): T {
  if (isDisabled(PARTS)) return target
  const settings = resolveAmqpOptions(options)
  giveLanes(target, settings)
  return target
}

/** Whether a connection or a channel has lanes already. */
export const hasLanes = (target: object): boolean => kLanes in target

/** What {@link laneAmqp} does, once the options are read. */
export function giveLanes(target: object, settings: AmqpSettings): void {
  if (kLanes in target) return
  Object.defineProperty(target, kLanes, { value: true })
  const { createChannel, createConfirmChannel, addSetup } = target as Record<string, Callable | undefined>
  if (typeof createChannel === 'function') {
    Object.assign(target, { createChannel: makingLanes(createChannel, settings) })
    if (typeof createConfirmChannel === 'function') {
      Object.assign(target, { createConfirmChannel: makingLanes(createConfirmChannel, settings) })
    }
    return
  }
  tagPublisher(target as never, settings)
  // The channels of amqplib below a wrapper have lanes themselves where a preload gives them.
  if (typeof addSetup === 'function' && settings.isolates !== undefined) return
  tagConsumer(target as never, settings)
  if (typeof addSetup === 'function') {
    // amqp-connection-manager: a set-up function consumes on the channel itself.
    Object.assign(target, {
      addSetup(setup: Callable, ...rest: unknown[]) {
        return addSetup.call(target, inSetup(setup, settings), ...rest)
      },
    })
  }
}

/** amqplib's promises and callbacks, and amqp-connection-manager, whose channel is there at once and is set up later. */
function makingLanes(create: Callable, settings: AmqpSettings): Callable {
  return function createWithLanes(this: unknown, ...args: any[]) {
    const given = args.map(one => {
      if (typeof one === 'function') return withChannel(one, settings)
      if (typeof one?.setup === 'function') return { ...one, setup: inSetup(one.setup, settings) }
      return one
    })
    const made = create.apply(this, given)
    if (typeof made?.then === 'function') {
      return made.then((channel: object) => {
        giveLanes(channel, settings)
        return channel
      })
    }
    if (typeof made?.publish === 'function') giveLanes(made, settings)
    return made
  }
}

function withChannel(done: Callable, settings: AmqpSettings): Callable {
  return function (this: unknown, error: unknown, channel: object, ...rest: unknown[]) {
    if (typeof channel === 'object' && channel !== null) giveLanes(channel, settings)
    return done.call(this, error, channel, ...rest)
  }
}

/** The parameters decide for promise-breaker whether a set-up function takes a callback. */
function inSetup(setup: Callable, settings: AmqpSettings): Callable {
  const wrapped = function (this: unknown, channel: object, ...rest: unknown[]) {
    giveLanes(channel, settings)
    return setup.call(this, channel, ...rest)
  }
  return Object.defineProperty(wrapped, 'length', { value: setup.length })
}
