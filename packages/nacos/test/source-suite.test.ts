import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { type SuiteInstance, sourceSuite } from '@laneway/testkit'
import t from 'tap'
import { createNacosClient, createNacosSource } from '../src/index.js'

t.test('the Nacos source', t =>
  sourceSuite(t, {
    name: 'nacos',
    unknownService: 'empty',
    badEndpoint: 'dropped',
    cannot: { tooMany: 'Nacos sends at most 10 MiB, which is fewer endpoints' },
    async start(t) {
      const server = await createNacosDevServer({ port: 0, pushDelayMs: 0 }).start()
      const connect = () =>
        createNacosClient({ servers: server.address, maxReconnectDelayMs: 50, redoIntervalMs: 20, warn: () => {} })
      const publisher = connect()
      t.teardown(async () => {
        await publisher.close()
        await server.close()
      })
      /** What is registered: service and address, and the instance as text. */
      const known = new Map<string, { service: string; instance: SuiteInstance; text: string }>()
      return {
        open() {
          const client = connect()
          const source = createNacosSource(client, { listIntervalMs: 10 })
          // The source leaves its client open; the suite looks for what stays open.
          return { ...source, close: () => source.close().then(() => client.close()) }
        },
        async publish(services) {
          const wanted = new Map(
            Object.entries(services).flatMap(([service, list]) =>
              list.map(one => [
                `${service} ${one.host}:${one.port}`,
                { service, instance: one, text: JSON.stringify(one) },
              ]),
            ),
          )
          const work: Promise<void>[] = []
          for (const [key, { service, instance, text }] of wanted) {
            if (known.get(key)?.text === text) continue
            known.set(key, { service, instance, text })
            const { host, port, labels = {}, healthy = true, zone = 'DEFAULT' } = instance
            work.push(
              publisher.naming.register({ service }, { ip: host, port, metadata: labels, healthy, cluster: zone }),
            )
          }
          for (const [key, { service, instance }] of known) {
            if (wanted.has(key)) continue
            known.delete(key)
            work.push(publisher.naming.deregister({ service }, { ip: instance.host, port: instance.port }))
          }
          await Promise.all(work)
        },
        lose() {
          server.faults.refuse()
          server.faults.resetConnections()
        },
        restore: () => server.faults.accept(),
      }
    },
  }),
)
