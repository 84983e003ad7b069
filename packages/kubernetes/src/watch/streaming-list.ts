import type { KubeObject } from '../objects/kube-object.js'
import { statusError } from './api-error.js'
import type { Collection, Filling } from './collection.js'

/** One line of a watch. */
export interface WatchEvent {
  readonly type?: unknown
  readonly object?: KubeObject
}

/** The server does not take a list as the beginning of a watch. */
export class NoStreamingLists extends Error {}

/** Marks the bookmark after the last object of a streaming list. */
const END_OF_LIST = 'k8s.io/initial-events-end'

/**
 * Takes one event of the list at the beginning of a watch.
 *
 * @returns the version of the list when it is complete
 * @throws ApiError, TypeError
 */
export function fillFrom<T>(
  { type, object = {} }: WatchEvent,
  list: Filling<T>,
  collection: Collection<T>,
): string | undefined {
  if (type === 'ERROR') throw statusError(500, object, 'the list ended')
  if (type === 'BOOKMARK') {
    if (object.metadata?.annotations?.[END_OF_LIST] !== 'true') return undefined
    if (!object.metadata.resourceVersion) throw new TypeError('a list without resourceVersion')
    return object.metadata.resourceVersion
  }
  if (type === 'DELETED') collection.remove(list, object)
  else if (type === 'ADDED' || type === 'MODIFIED') collection.add(list, object)
  else throw new TypeError(`an event of type ${String(type)}`)
  return undefined
}
