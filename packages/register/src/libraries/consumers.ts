import { owns } from './emitter-classes.js'
import { has, type KnownClass, own } from './known-class.js'

/**
 * Consumers that take their messages in a loop: a loop which a request started would run every later message in the lane
 * of that request.
 */
export const CONSUMERS = {
  kafkajs: [
    {
      matches: has('start', 'fetch', 'processEachMessage', 'processEachBatch'),
      adopt: (owner, methods) => methods.detached(owner, 'start'),
    },
  ],
  bullmq: [
    // Worker and QueueEvents: their constructors start the loop.
    {
      matches: owner => owns(owner, 'run', 'waitUntilReady') || owns(owner, 'run', 'consumeEvents'),
      adopt: (owner, methods) => methods.detached(owner, 'run', ...own(owner, 'startStalledCheckTimer')),
    },
  ],
  bull: [
    {
      matches: has('process', 'run', 'processJobs', '_initProcess'),
      adopt: (owner, methods) => methods.detached(owner, 'run', '_initProcess'),
    },
  ],
  'bee-queue': [
    {
      matches: has('process', '_waitForJob', '_runJob'),
      adopt: (owner, methods) => methods.detached(owner, 'process', 'checkStalledJobs'),
    },
  ],
  'sqs-consumer': [
    { matches: has('start', 'poll', 'handleSqsResponse'), adopt: (owner, methods) => methods.detached(owner, 'start') },
  ],
  // Of its clients 2 and 3: the loop reads the connection. The class is no emitter; its file is in `queue-hook.ts`.
  nats: [{ matches: has('dial', 'dialLoop', 'push'), adopt: (owner, methods) => methods.detached(owner, 'dial') }],
} satisfies Record<string, readonly KnownClass[]>
