/** What is needed of BullMQ 5 and 6, structurally: an application compiles with whichever version it has. */

/** Options of a job; unknown names survive retries, flows and schedulers. */
export type JobOptions = Readonly<Record<string, unknown>>

/** Of `Job`. */
export interface BullJob {
  readonly id?: string | undefined
  readonly name: string
  readonly data: any
  opts: Record<string, any>
  readonly queueName: string
  readonly queueQualifiedName: string
  readonly attemptsMade: number
  readonly timestamp: number
  readonly parent?: { id: string; queueKey: string } | undefined
  moveToWaitingChildren(token: string): Promise<boolean>
  moveToDelayed(timestamp: number, token?: string): Promise<void>
  getDependencies(options?: unknown): Promise<{ unprocessed?: string[]; processed?: Record<string, unknown> }>
}

/** A processor of a worker. */
export type BullProcessor = (job: any, token?: string, signal?: AbortSignal) => Promise<any>

/** Of `Worker`. */
export interface BullWorker {
  readonly name: string
  readonly closing?: Promise<void> | undefined
  emit(event: any, ...args: any[]): boolean
  run(): Promise<void>
  close(force?: boolean): Promise<void>
  pause(doNotWaitActive?: boolean): Promise<void>
  resume(): unknown
  isPaused(): boolean
  waitUntilReady(): Promise<unknown>
}

/** Of `Queue`. */
export interface BullQueue {
  add(name: any, data: any, options?: any): Promise<unknown>
  getJob(id: string): Promise<unknown>
  close(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** The classes of BullMQ, as `import { Queue, Worker } from 'bullmq'` gives them. */
export interface BullClasses<W extends BullWorker = BullWorker> {
  readonly Worker: new (name: string, processor: any, options?: any) => W
  readonly Queue: new (name: string, options: any) => BullQueue
}

/** A Redis client behind a worker: it has the commands that were defined on it. */
export type LuaClient = Record<string, (...args: (string | number)[]) => Promise<unknown>> & {
  defineCommand(name: string, definition: { numberOfKeys: number; lua: string }): void
}

/** The Redis client of a worker of BullMQ 5 (`client`) or 6 (of its back end); `undefined` where there is none. */
export function redisOf(worker: BullWorker): Promise<LuaClient> | undefined {
  const { client, getBackend } = worker as {
    client?: Promise<LuaClient>
    getBackend?(): { client?: Promise<LuaClient> }
  }
  return client ?? getBackend?.call(worker)?.client
}
