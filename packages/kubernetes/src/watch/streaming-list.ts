import type { KubeObject } from '../objects/kube-object.js'
import { statusError } from './api-error.js'
import type { Collection, Filling } from './collection.js'

/** One line of a watch. */
export interface WatchEvent {
  readonly type?: unknown
  readonly object?: KubeObject
}

/** The server does not send a list as the beginning of a watch. */
export class NoStreamingLists extends Error {}

/** Marks the bookmark after the last object of a streaming list. */
const END_OF_LIST = 'k8s.io/initial-events-end'

/**
 * Takes one event of a streaming list.
 *
 * @returns whether the list is complete
 * @throws ApiError, TypeError for what does not belong into a list
 */
export function takeListed<T>(collection: Collection<T>, list: Filling<T>, { type, object = {} }: WatchEvent): boolean {
  if (type === 'ERROR') throw statusError(500, object, 'the list ended')
  if (type === 'BOOKMARK') {
    if (object.metadata?.annotations?.[END_OF_LIST] !== 'true') return false
    if (!object.metadata.resourceVersion) throw new TypeError('a list without resourceVersion')
    return true
  }
  if (type === 'DELETED') collection.remove(list, object)
  else if (type === 'ADDED' || type === 'MODIFIED') collection.add(list, object)
  else throw new TypeError(`an event of type ${String(type)}`)
  return false
}
