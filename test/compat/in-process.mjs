// Copies of the packages in one process, loaded in the order of the arguments: `name=folder:dialect`, where `folder` has a
// `node_modules`. Prints what each makes of the lanes of the others, as JSON lines `{ what, ok, seen }`.
import { createServer, get } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Agent, fetch } from 'undici'

const copies = []
for (const argument of process.argv.slice(2)) {
  const [, name, folder, dialect] = /^(.+?)=(.+):(esm|commonjs)$/.exec(argument)
  const load = async (pack, entry = 'index') => {
    const file = `${folder}/node_modules/@laneway/${pack}/dist/${dialect}/${entry}.js`
    return dialect === 'esm' ? await import(pathToFileURL(file)) : createRequire(import.meta.url)(file)
  }
  const [core, http, undici, discovery] = [
    await load('core'),
    await load('http'),
    await load('undici'),
    await load('discovery'),
  ]
  // By its name of now, and by the one before.
  const handlerOf = http.laneHandler ?? http.withLane
  copies.push({ name, core, http, undici, discovery, handlerOf })
}

const report = (what, seen, wanted) => console.log(JSON.stringify({ what, ok: seen === wanted, seen }))
const serve = handler =>
  new Promise(resolve => {
    const server = createServer(handler)
    server.listen(0, '127.0.0.1', () => resolve(server.address().port))
  })

const far =
  name =>
  ({ headers }, response) =>
    response.end(`${name}[${headers['x-mse-tag'] ?? '-'}]`)
const [base, gray] = [await serve(far('base')), await serve(far('gray'))]
const endpoints = [
  { host: '127.0.0.1', port: base },
  { host: '127.0.0.1', port: gray, tags: ['gray'] },
]
for (const copy of copies) {
  const { createLaneResolver, createStaticSource } = copy.discovery
  copy.resolver = createLaneResolver({ sources: [createStaticSource({ 'sc-b': endpoints })], services: ['sc-b'] })
  await copy.resolver.ready('sc-b')
}

const callWith = {
  http: ({ http }, resolver) => {
    const agent = new http.LaneAgent({ resolver })
    return () =>
      new Promise((resolve, reject) => {
        get('http://sc-b/', { agent }, async res => resolve((await res.setEncoding('utf8').toArray()).join(''))).on(
          'error',
          reject,
        )
      })
  },
  undici: ({ undici }, resolver) => {
    const dispatcher = undici.composeLane(new Agent(), { resolver })
    return async () => (await fetch('http://sc-b/', { dispatcher })).text()
  },
}

for (const writer of copies) {
  for (const reader of copies) {
    const seen = await writer.core.runInLane('gray-2,gray', async () => {
      await new Promise(setImmediate)
      return reader.core.currentLane()?.header
    })
    report(`${reader.name} reads the lane of ${writer.name}`, seen, 'gray-2,gray')
    report(`and its end`, reader.core.currentLane()?.header, undefined)
  }
}

for (const ingress of copies) {
  for (const [index, egress] of copies.entries()) {
    for (const { name, resolver } of [egress, copies[(index + 1) % copies.length]]) {
      for (const [client, make] of Object.entries(callWith)) {
        const call = make(egress, resolver)
        // The second ingress believes nobody: the first decision stands, whoever made it.
        const handler = egress.handlerOf(async (_, response) => response.end(await call()), { trust: 'edge' })
        const port = await serve(ingress.handlerOf(handler))
        for (const [lane, wanted] of [
          ['gray', 'gray[gray]'],
          ['blue', 'base[blue]'],
          [undefined, 'base[-]'],
        ]) {
          const headers = lane === undefined ? {} : { 'x-mse-tag': lane }
          const answer = await new Promise((resolve, reject) => {
            get({ host: '127.0.0.1', port, headers, agent: false }, async res =>
              resolve((await res.setEncoding('utf8').toArray()).join('')),
            ).on('error', reject)
          })
          report(
            `${ingress.name} in, ${client} of ${egress.name} out, resolver of ${name}, lane ${lane}`,
            answer,
            wanted,
          )
        }
      }
    }
  }
}
process.exit()
