import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LanewayError } from '@laneway/core'
import { missingPackage } from '@laneway/core/internal'

/** What is used of kafkajs 2. */
export interface Kafkajs {
  readonly Kafka: new (config: object) => KafkaClient
  readonly AssignerProtocol: { MemberMetadata: { decode(bytes: Buffer): { userData: Buffer } | null } }
}

export interface KafkaClient {
  admin(): KafkaAdmin
  consumer(config: object): KafkaConsumer
  producer(config: object): KafkaProducer
}

export interface KafkaAdmin {
  connect(): Promise<void>
  disconnect(): Promise<void>
  listTopics(): Promise<string[]>
  describeConfigs(query: object): Promise<{
    resources: { configEntries: { configName: string; configValue: string }[] }[]
  }>
  listGroups(): Promise<{ groups: { groupId: string }[] }>
  describeGroups(names: readonly string[]): Promise<{
    groups: { groupId: string; state: string; protocol: string; members: { memberMetadata: Buffer }[] }[]
  }>
  fetchOffsets(query: {
    groupId: string
  }): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>
  fetchTopicOffsets(topic: string): Promise<{ partition: number; low: string; high: string }[]>
}

export interface KafkaConsumer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  subscribe(subscription: object): Promise<void>
  run(config: object): Promise<void>
}

export interface KafkaProducer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(record: object): Promise<unknown>
}

/**
 * Makes a client with the kafkajs of the project in a folder.
 *
 * @param kafka - brokers `host:port` separated by commas, or a file with the configuration of kafkajs
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export async function openKafka(
  kafka: string,
  folder: string,
): Promise<{ readonly client: KafkaClient; readonly kafkajs: Kafkajs }> {
  const config = /\.(json|[cm]?js)$/.test(kafka) ? await readConfig(resolve(folder, kafka)) : brokersOf(kafka)
  const kafkajs = loadKafkajs(folder)
  // The command says itself what went wrong.
  return { kafkajs, client: new kafkajs.Kafka({ clientId: 'laneway', logLevel: 0, retry: { retries: 2 }, ...config }) }
}

function loadKafkajs(folder: string): Kafkajs {
  try {
    return createRequire(join(folder, 'package.json'))('kafkajs') as Kafkajs
  } catch (error) {
    throw missingPackage('kafkajs', `--kafka in ${folder}`, error) ?? error
  }
}

function brokersOf(text: string): object {
  const brokers = text.split(',').map(one => one.trim())
  if (brokers.every(one => /^[^\s:/]+:\d+$|^\[[\da-f:]+\]:\d+$/i.test(one))) return { brokers }
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `--kafka is brokers host:port, separated by commas, or a file kafka.json with the configuration of kafkajs, received "${text}"`,
  )
}

async function readConfig(file: string): Promise<object> {
  try {
    if (file.endsWith('.json')) return JSON.parse(readFileSync(file, 'utf8')) as object
    return ((await import(pathToFileURL(file).href)) as { default: object }).default
  } catch (cause) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `--kafka: ${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}
