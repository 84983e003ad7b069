import { once } from 'node:events'
import t from 'tap'
import WebSocket from 'ws'
import { type App, program, startApp } from './start-app.js'

const LANES = ['gray', undefined, 'blue', 'gray', undefined, 'blue', 'gray', undefined, 'blue']
const FILLING = '.'.repeat(4000)

async function talk({ url }: App, tag: string | undefined): Promise<string[]> {
  const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
  const socket = new WebSocket(url.replace('http', 'ws'), { headers, perMessageDeflate: { threshold: 0 } })
  await once(socket, 'open')
  const answers: string[] = []
  for (let round = 0; round < 3; round++) {
    socket.send(`${round}${FILLING}`)
    const [answer] = await once(socket, 'message')
    answers.push(String(answer).replace(FILLING, ''))
  }
  socket.terminate()
  return answers
}

t.test('connections that share a queue for zlib run their messages in their own lanes', async t => {
  const app = await startApp(t, program('compressed.mjs'))
  const seen = await Promise.all(LANES.map(tag => talk(app, tag)))
  const right = LANES.map((tag = 'none') => [
    `0: ${tag}, sent nothing`,
    `1: ${tag}, sent ${tag}`,
    `2: ${tag}, sent ${tag}`,
  ])
  t.strictSame(seen, right)
  t.equal(app.output.stderr, '')
})

t.test('LANEWAY_DISABLE=ws leaves them alone', async t => {
  const app = await startApp(t, program('compressed.mjs'), { environment: { LANEWAY_DISABLE: 'ws' } })
  const seen = await Promise.all(LANES.map(tag => talk(app, tag)))
  const wrong = LANES.filter((tag = 'none', index) => seen[index]!.some(answer => !answer.includes(`: ${tag},`)))
  t.not(wrong.length, 0)
})
