import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SuiteInstance, type SuiteServices, sourceSuite } from '@laneway/testkit'
import t from 'tap'
import { createFileSource, createStaticSource, type EndpointInput, tagsOfMetadata } from '../src/index.js'

const map = <T>(services: SuiteServices, endpoint: (instance: SuiteInstance) => T): Record<string, T[]> =>
  Object.fromEntries(Object.entries(services).map(([name, instances]) => [name, instances.map(endpoint)]))

const given = ({ host, port, healthy = true, zone }: SuiteInstance) => ({
  host,
  port,
  health: healthy ? ('healthy' as const) : ('unhealthy' as const),
  ...(zone !== undefined && { zone }),
})

t.test('the static source', t =>
  sourceSuite(t, {
    name: 'static',
    unknownService: 'missing',
    badEndpoint: 'throws',
    cannot: { lose: 'the program itself is the registry' },
    start() {
      const source = createStaticSource()
      return {
        open: () => source,
        publish: services =>
          source.update(
            map(services, (instance): EndpointInput => {
              const { labels = {} } = instance
              return { ...given(instance), metadata: labels, tags: tagsOfMetadata(labels) }
            }),
          ),
      }
    },
  }),
)

t.test('the file source', t =>
  sourceSuite(t, {
    name: 'file',
    unknownService: 'missing',
    badEndpoint: 'stale',
    start(t) {
      const path = join(t.testdir({}), 'services.json')
      let text = ''
      const write = () => {
        // Renamed over, so that no reader sees half of it.
        writeFileSync(`${path}.new`, text)
        renameSync(`${path}.new`, path)
      }
      return {
        open: () => createFileSource(path, { pollMs: 20, warn: () => {} }),
        publish(services) {
          text = JSON.stringify({ services: map(services, one => ({ ...given(one), metadata: one.labels ?? {} })) })
          write()
        },
        lose: () => rmSync(path),
        restore: write,
      }
    },
  }),
)
