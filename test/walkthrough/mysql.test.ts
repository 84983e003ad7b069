import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
// @ts-expect-error a script without types
import { findMariadb, startMariadb } from '../servers/mariadb/start.mjs'
import { objectOf } from './manifests.js'

const EXAMPLE = 'examples/end-to-end-canary'
const missing: string | undefined = findMariadb()
const USERS = [
  { id: 1, name: 'xiaoming', age: 18, email: 'xiaoming@example.com' },
  { id: 2, name: 'xiaohong', age: 21, email: 'xiaohong@example.com' },
  { id: 3, name: 'xiaogang', age: 24, email: 'xiaogang@example.com' },
]

for (const folder of ['services', 'services-plain']) {
  t.test(`${folder}/b.js answers /sql from the database of the manifests`, { skip: missing ?? false }, async t => {
    const database = await startMariadb(objectOf('mse-ingress', 'ConfigMap', 'demo-mysql').data['demo.sql'])
    t.teardown(() => database.stop())
    t.not(database.uid, 0, 'not as root')
    const { url, end } = await serviceB(t, folder, { MYSQL_URL: database.url })
    const answer = await fetch(`${url}/sql`)
    const text = await answer.text()
    t.equal(answer.status, 200, text)
    t.match(text, /^Bgray\[127\.0\.0\.1:\d+\] -> \[/)
    t.strictSame(JSON.parse(text.slice(text.indexOf('-> ') + 3)), USERS)
    t.match(await end(), folder === 'services' ? { code: 0 } : { signal: 'SIGTERM' }, 'the pool does not hold it')
  })

  t.test(`${folder}/b.js has no /sql without MYSQL_URL`, async t => {
    const { url, end } = await serviceB(t, folder, {})
    t.equal((await fetch(`${url}/sql`)).status, 404)
    await end()
  })
}

async function serviceB(t: any, folder: string, env: Record<string, string>) {
  const endpoints = join(t.testdir(), 'endpoints.json')
  writeFileSync(endpoints, '{ "services": {} }')
  const { MYSQL_URL: _, ...inherited } = process.env
  const flags = ['--import', 'tsx', '--conditions=@laneway/source']
  const child = spawn(process.execPath, [...flags, join(EXAMPLE, folder, 'b.js')], {
    env: { ...inherited, PORT: '0', LANEWAY_TAG: 'gray', ENDPOINTS_FILE: endpoints, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<{ code: number | null; signal: string | null }>(resolve =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  )
  t.teardown(() => child.kill('SIGKILL'))
  const port = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
      const found = /serving on (\d+)/.exec(output)
      if (found?.[1] !== undefined) resolve(found[1])
    })
    child.once('exit', code => reject(new Error(`ended with ${code}`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    end: () => {
      child.kill('SIGTERM')
      return gone
    },
  }
}
