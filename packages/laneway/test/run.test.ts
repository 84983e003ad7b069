import { join } from 'node:path'
import t from 'tap'
import { folderWith, laneway, start } from './command-line.js'

t.test('run: the program has lanes from any folder, its own arguments, its exit code and its signals', async t => {
  const folder = folderWith(t, {
    'a b/app.mjs': `
      const { health } = globalThis[Symbol.for('x')] ?? {}
      process.stdout.write(JSON.stringify({ args: process.argv.slice(2), options: process.env.NODE_OPTIONS, on: typeof health }) + '\\n')
      process.on('SIGTERM', () => process.exit(42))
      if (process.argv.includes('--wait')) { setInterval(() => {}, 1000); process.stdout.write('ready\\n') }
      else process.exitCode = 7`,
  })
  const own = join(folder, 'a b')
  const ended = await laneway(['run', '--', process.execPath, 'app.mjs', '--json', '-h'], {
    folder: own,
    env: { NODE_OPTIONS: '--no-warnings', LANEWAY_DIAGNOSE: '1' },
  })
  t.equal(ended.code, 7)
  const said = JSON.parse(ended.stdout)
  t.strictSame(said.args, ['--json', '-h'], 'options of the program are not ours')
  // A test runner may have written the options anew.
  t.match(said.options, /^"?--import"? "file:.*register\/dist\/esm\/index\.js" "?--no-warnings\b/)
  t.match(ended.stderr, /laneway: hooks: http, https/, 'register runs')

  const waiting = start(['run', process.execPath, 'app.mjs', '--wait'], { folder: own })
  await new Promise<void>(resolve => {
    waiting.stdout.on('data', chunk => {
      if (String(chunk).includes('ready')) resolve()
    })
  })
  const closed = new Promise(resolve => waiting.once('close', (code, signal) => resolve([code, signal])))
  waiting.kill('SIGTERM')
  t.strictSame(await closed, [42, null], 'a signal goes to the program, which decides')

  const killed = await laneway(['run', process.execPath, '-e', 'process.kill(process.pid, "SIGKILL")'], { folder: own })
  t.strictSame([killed.code, killed.signal], [null, 'SIGKILL'], 'it ends by the signal of its program')
  t.equal((await laneway(['run', 'no-such-program-here'], { folder: own })).code, 127)
  t.equal((await laneway(['run'], { folder: own })).code, 2)
})
