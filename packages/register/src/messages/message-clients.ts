import { has, type KnownClass } from '../libraries/known-class.js'

/** A package that gives lanes to messages, and how the classes of its clients are recognised. */
export interface MessageClient {
  /** Loaded when the first of these is met. */
  readonly package: string
  readonly classes: readonly KnownClass['matches'][]
  /** Files of modules whose exports are given to the package: for classes that are no emitters. */
  readonly files?: readonly RegExp[]
}

/** By the name that switches each off. */
export const MESSAGE_CLIENTS = {
  amqp: {
    package: '@laneway/amqp',
    classes: [
      // amqplib, with promises and with callbacks.
      has('createChannel', 'createConfirmChannel'),
      // amqp-connection-manager.
      has('createChannel', 'isConnected', 'reconnect'),
      // rabbitmq-client.
      has('createPublisher', 'createRPCClient', 'createConsumer', 'acquire'),
    ],
  },
  bullmq: {
    package: '@laneway/bullmq',
    classes: [
      has('callProcessJob', 'run'),
      has('add', 'addBulk', 'upsertJobScheduler'),
      has('add', 'addBulk', 'addNode'),
    ],
  },
  kafka: {
    package: '@laneway/kafka',
    // @platformatic/kafka.
    classes: [has('send', 'initIdempotentProducer'), has('consume', 'joinGroup', 'leaveGroup')],
    // kafkajs: the class of its clients is no emitter.
    files: [/[\\/]kafkajs[\\/]src[\\/]index\.js$/],
  },
  rocketmq: {
    package: '@laneway/rocketmq',
    // rocketmq-client-nodejs: no class of it is an emitter.
    classes: [],
    files: [
      /[\\/]rocketmq-client-nodejs[\\/]dist[\\/](?:producer[\\/]Producer|consumer[\\/](?:Push|Simple)Consumer)\.js$/,
    ],
  },
} as const satisfies Readonly<Record<string, MessageClient>>
