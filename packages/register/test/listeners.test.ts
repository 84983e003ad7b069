import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { startFarService } from './far-service.js'
import { type App, ask, program, startApp } from './start-app.js'

const TAGS = ['gray', 'blue', undefined, 'gray', undefined] as const
const wanted = (tag: string | undefined) => (tag === 'gray' ? 'gray[gray]' : `base[${tag ?? ''}]`)

function head(tag: string | undefined, ...lines: string[]): string {
  const all = ['POST / HTTP/1.1', 'Host: a', ...lines]
  if (tag !== undefined) all.push(`X-Mse-Tag: ${tag}`)
  return `${all.join('\r\n')}\r\n\r\n`
}

/** Writes pieces, each when the one before has been answered with so many bytes of interest; returns all that came. */
async function talk(app: App, pieces: readonly string[], until: RegExp): Promise<string> {
  const socket = connect(app.port, '127.0.0.1')
  let text = ''
  for (const piece of pieces) socket.write(piece)
  for await (const chunk of socket) {
    text += chunk
    if (until.test(text)) break
  }
  socket.destroy()
  return text
}

t.test('listeners of an unchanged server run in the lane of their request', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('listeners.mjs'), { environment: far.environment })

  t.test('data and end of a body, finish and close of its answer', async t => {
    for (const [index, tag] of TAGS.entries()) {
      const headers: Record<string, string> = { 'x-id': `${index}` }
      if (tag !== undefined) headers['x-mse-tag'] = tag
      const body = 'x'.repeat(200_000)
      const text = await (await fetch(app.url, { method: 'POST', headers, body })).text()
      t.equal(text, `${wanted(tag)} ${wanted(tag)}`)
      t.equal(await ask(`${app.url}/after/${index}`, 'green'), `${wanted(tag)} ${wanted(tag)}`)
    }
  })

  t.test('requests that are pipelined on one connection', async t => {
    const pieces = TAGS.map(tag => `${head(tag, 'Content-Length: 4')}body`)
    const text = await talk(app, [pieces.join('')], new RegExp(`(?:\\[[a-z]*\\] [a-z\\[\\]]+[^]*?){${TAGS.length}}$`))
    const answers = text.match(/(?:gray|base)\[[a-z]*\] (?:gray|base)\[[a-z]*\]/g)
    t.strictSame(
      answers,
      TAGS.map(tag => `${wanted(tag)} ${wanted(tag)}`),
    )
  })

  t.test('an upgrade, and the data behind it', async t => {
    for (const tag of TAGS) {
      const socket = connect(app.port, '127.0.0.1')
      socket.write(head(tag, 'Connection: Upgrade', 'Upgrade: echo', 'Content-Length: 0'))
      let text = ''
      while (!text.endsWith(']\n')) text += (await once(socket, 'data'))[0]
      t.match(text, `101 Switching Protocols`)
      t.ok(text.endsWith(`\r\n\r\n${wanted(tag)}\n`), text)
      socket.write('more')
      t.equal(String((await once(socket, 'data'))[0]), `data ${wanted(tag)}\n`)
      socket.destroy()
    }
  })

  t.test('checkContinue', async t => {
    for (const tag of TAGS) {
      const text = await talk(app, [head(tag, 'Expect: 100-continue', 'Content-Length: 4'), 'body'], /continued .*\]/)
      t.match(text, `continued ${wanted(tag)}`)
    }
  })
})
