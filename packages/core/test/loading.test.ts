import { createRequire } from 'node:module'
import t from 'tap'
import { absentPackage, createSources, missingPackage } from '../src/internal.js'

const failed = (load: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(load)
    .then(
      () => undefined,
      error => error,
    )

t.test('a package that is not there is named with its install line', async t => {
  const require = createRequire(import.meta.url)
  const cases: [string, () => unknown][] = [
    ['import', () => import('@laneway/not-there' as string)],
    ['require', () => require('@laneway/not-there')],
  ]
  for (const [name, load] of cases) {
    const error = missingPackage('@laneway/not-there', 'discovery.nacos', await failed(load))
    t.match(error, { code: 'LANEWAY_INVALID_OPTION' }, name)
    t.equal(error?.text, 'discovery.nacos needs @laneway/not-there: npm install @laneway/not-there', name)
  }
})

t.test('a package that lacks another one is not taken for a missing one', async t => {
  const cause = new Error("Cannot find package 'protobufjs' imported from /app/node_modules/@laneway/nacos/index.js")
  const error = missingPackage('@laneway/nacos', 'LANEWAY_NACOS', cause)
  t.equal(error?.text, 'LANEWAY_NACOS needs @laneway/nacos, and that needs protobufjs: npm install protobufjs')
  t.equal(error?.cause, cause)
  t.equal(absentPackage(new Error("Cannot find module '@scope/name/deep/file.js'")), '@scope/name')
  t.equal(absentPackage(new Error("Cannot find module './file.js'")), undefined)
})

t.test('an error of a package that is there is none of ours', async t => {
  for (const error of [new TypeError('x is not a function'), undefined, null, 'text', { code: 'ENOENT' }]) {
    t.equal(missingPackage('@laneway/nacos', 'LANEWAY_NACOS', error), undefined)
  }
})

t.test('sources come in their order, with the options that were given', async t => {
  const calls: unknown[] = []
  const warn = () => {}
  const source = (name: string, ...given: unknown[]) => {
    calls.push(...given, name)
    return name
  }
  const factories = {
    createStaticSource: () => source('static'),
    createFileSource: () => source('file'),
    nacos: () => ({
      createNacosClient: (options: object) => source('client', options),
      createNacosSource: (client: string, options: object) => source('nacos', client, options),
    }),
    kubernetes: () => ({
      createKubernetesSource: (options: object) => source('kubernetes', options),
    }),
  }
  const all = createSources(
    {
      kubernetes: { namespace: undefined, port: 80 },
      nacos: { client: { servers: 'a', username: undefined }, source: { group: undefined } },
      file: 'endpoints.json',
      static: {},
    },
    factories,
    warn,
  )
  t.strictSame(all, { sources: ['static', 'file', 'nacos', 'kubernetes'], nacos: 'client' })
  const expected = ['static', 'file', { servers: 'a', warn }, 'client', 'client', { warn }, 'nacos', { warn, port: 80 }]
  t.strictSame(calls, [...expected, 'kubernetes'])
})

t.test('a package is loaded only for a configuration that names it', async t => {
  const never = () => t.fail('loaded')
  const factories = { createFileSource: () => 'file', nacos: never, kubernetes: never } as never
  t.strictSame(
    createSources({ file: 'a' }, factories, () => {}),
    { sources: ['file'], nacos: undefined },
  )
  t.strictSame(createSources({ nacos: undefined, kubernetes: undefined }, factories, () => {}).sources, [])
})
