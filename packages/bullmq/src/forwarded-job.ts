import type { BullJob, BullQueue } from './bullmq.js'

/** The option of a child that says what the original job is. */
export const ORIGINAL = 'x-laneway'

/** What a child knows of the original job, besides its id and queue, which are those of its parent. */
export interface OriginalJob {
  readonly queueName: string
  readonly opts: Record<string, unknown>
  readonly attemptsMade: number
  readonly attemptsStarted: number | undefined
  readonly timestamp: number
  readonly delay: number | undefined
  readonly parent: unknown
  readonly parentKey: string | undefined
}

export function originalOf(job: BullJob): OriginalJob {
  const { queueName, opts, attemptsMade, timestamp } = job
  const { attemptsStarted, delay, parent, parentKey } = job as Partial<OriginalJob>
  return { queueName, opts, attemptsMade, attemptsStarted, timestamp, delay, parent, parentKey }
}

type Method = (...args: any[]) => Promise<any>

/**
 * A child as the processor sees it: the original job. What it reads is the original's; progress, log, data and the jobs
 * below it go there; what concerns the run (locks, delays) stays with the child.
 *
 * A Proxy, because a job has some sixty methods and private fields, and forwarded jobs are the few.
 *
 * @param queueOfOriginal - makes the queue of the original when a method needs it
 */
export function viewOfOriginal(child: BullJob, queueOfOriginal: () => BullQueue): ForwardedJob {
  const original = child.opts[ORIGINAL] as OriginalJob
  const { id, queueKey } = child.parent!
  const parts: Record<string, unknown> = { ...original, id, queueQualifiedName: queueKey }
  const state = { attemptsMade: original.attemptsMade, waits: false }
  let found: Promise<Record<string, Method> & BullJob> | undefined
  const job = () => {
    found ??= queueOfOriginal().getJob(id) as Promise<Record<string, Method> & BullJob>
    return found
  }
  const childKey = `${child.queueQualifiedName}:${child.id}`
  const there =
    (name: string) =>
    async (...args: any[]) =>
      (await job())[name]!(...args)
  const both =
    (name: string) =>
    async (...args: any[]) => {
      await (await job())[name]!(...args)
      return (child as unknown as Record<string, Method>)[name]!(...args)
    }
  async function unprocessed(): Promise<string[]> {
    return ((await (await job()).getDependencies()).unprocessed ?? []).filter(key => key !== childKey)
  }
  const methods: Record<string, (...args: any[]) => any> = {
    updateData: both('updateData'),
    updateProgress: both('updateProgress'),
    log: there('log'),
    getState: there('getState'),
    getChildrenValues: there('getChildrenValues'),
    getIgnoredChildrenFailures: there('getIgnoredChildrenFailures'),
    getFailedChildrenValues: there('getFailedChildrenValues'),
    removeUnprocessedChildren: there('removeUnprocessedChildren'),
    waitUntilFinished: there('waitUntilFinished'),
    async getDependencies(...args: any[]) {
      const found = await (await job()).getDependencies(...args)
      return found.unprocessed === undefined
        ? found
        : { ...found, unprocessed: found.unprocessed.filter(key => key !== childKey) }
    },
    async getDependenciesCount(...args: any[]) {
      const counts = await (await job())['getDependenciesCount']!(...args)
      return counts.unprocessed > 0 ? { ...counts, unprocessed: counts.unprocessed - 1 } : counts
    },
    async moveToWaitingChildren() {
      state.waits = (await unprocessed()).length > 0
      return state.waits
    },
    toJSON: () => {
      const json = (child as unknown as { toJSON(): object }).toJSON()
      return { ...json, ...parts, attemptsMade: state.attemptsMade }
    },
  }
  const bound = new Map<PropertyKey, unknown>()
  const view = new Proxy(child, {
    get(target, key) {
      if (key === 'attemptsMade') return state.attemptsMade
      if (typeof key === 'string') {
        if (Object.hasOwn(methods, key) && key in target) return methods[key]
        if (Object.hasOwn(parts, key)) return parts[key]
      }
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function' || key === 'constructor') return value
      const known = bound.get(key)
      if (known !== undefined) return known
      const method = value.bind(target)
      bound.set(key, method)
      return method
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  })
  return { view, state }
}

/** A child beside what its processor sees. */
export interface ForwardedJob {
  readonly view: BullJob
  readonly state: {
    /** Of the original; one more once this run has ended. */
    attemptsMade: number
    /** The processor asked to wait for children that it gave to the original. */
    waits: boolean
  }
}
