import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttpSource } from '@laneway/discovery'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import { runCommand } from '../src/index.js'
import { command } from './command-line.js'

const SERVICES = { services: { 'sc-b': [{ host: '10.0.0.1', port: 80, tags: ['gray'] }], 'sc-c': [] } }

function folderWith(t: { teardown(fn: () => unknown): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-endpoints-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'endpoints.json'), JSON.stringify(SERVICES))
  return folder
}

t.test('endpoints prints a services file', async t => {
  const folder = folderWith(t)
  const { code, stdout } = await command(['endpoints', '--file', join(folder, 'endpoints.json')], { folder })
  t.equal(code, 0)
  t.match(JSON.parse(stdout), SERVICES)
})

t.test('endpoints --serve serves until it is ended, on loopback', async t => {
  const folder = folderWith(t)
  const end = new AbortController()
  let stdout = ''
  let stderr = ''
  let said = () => {}
  const code = runCommand(
    ['endpoints', '--file', join(folder, 'endpoints.json'), '--serve', '--listen', '127.0.0.1:0'],
    {
      write(text) {
        stdout += text
        said()
      },
      writeError(text) {
        stderr += text
      },
      env: {},
      folder,
      isTerminal: false,
      signal: end.signal,
    },
  )
  while (!stdout.includes('\n')) await new Promise<void>(resolve => (said = resolve))
  t.match(stdout, /^serving endpoints of file .*endpoints\.json on http:\/\/127\.0\.0\.1:\d+\n$/)
  const source = createHttpSource(/http:\S+/.exec(stdout)![0])
  t.teardown(() => source.close())
  const [known, absent] = [new SourceReports(), new SourceReports()]
  source.subscribe('sc-b', known.listener)
  source.subscribe('sc-d', absent.listener)
  await known.untilTable('10.0.0.1:80=gray')
  await absent.until(seen => seen.last === 'missing')
  end.abort()
  t.equal(await code, 0)
  t.equal(stderr, '')
})

t.test('wrong use is named', async t => {
  const folder = folderWith(t)
  const cases: [args: string[], stderr: RegExp][] = [
    [[], /name one registry/],
    [['--file', 'endpoints.json', '--kubernetes'], /name one registry/],
    [['--nacos', '127.0.0.1:8848', '--serve'], /not for Nacos/],
    [['--file', 'endpoints.json', '--serve', '--listen', '7070'], /--listen "7070" is no address/],
    [['--file', 'endpoints.json', '--serve', '--listen', '127.0.0.1:99999'], /is no address/],
    [['--file', 'endpoints.json', '--serve', '--max-clients', '0'], /whole number/],
  ]
  for (const [args, stderr] of cases) {
    const ended = await command(['endpoints', ...args], { folder })
    t.match(ended, { code: 2, stderr }, args.join(' '))
  }
})
