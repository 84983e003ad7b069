import { EventEmitter } from 'node:events'
import { bindEmitter, currentLane, parseLane, runInLane } from '@laneway/core'
import { createIngress, runRequest } from '@laneway/core/internal'
import t from 'tap'

const lane = () => currentLane()?.header

function request(headers: Record<string, string>, socket: object = {}) {
  return Object.assign(new EventEmitter(), { headers, socket })
}

const ingress = createIngress('test', { trust: 'internal' })

t.test('listeners added during a tagged request run in its lane, whoever emits', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const response = new EventEmitter()
  const heard: (string | undefined)[] = []
  runRequest(ingress(message), message, response, () => {
    message.on('end', () => heard.push(lane()))
    response.once('finish', () => heard.push(lane()))
  })
  runInLane('blue', () => message.emit('end'))
  response.emit('finish')
  message.emit('end')
  t.strictSame(heard, ['gray', 'gray', 'gray'])
})

t.test('emitters of an untagged request on a fresh socket are left alone', async t => {
  const message = request({})
  const response = new EventEmitter()
  runRequest(ingress(message), message, response, () => {})
  t.notOk(Object.hasOwn(message, 'emit'))
  message.on('end', () => {})
  t.notOk(Object.hasOwn(message, 'emit'))
  t.equal(response.listenerCount('newListener'), 0)
})

t.test('an untagged request behind a tagged one on the same socket is out of its lane', async t => {
  const socket = {}
  const first = request({ 'x-mse-tag': 'gray' }, socket)
  const second = request({}, socket)
  runRequest(ingress(first), first, new EventEmitter(), () => {})
  const heard: (string | undefined)[] = []
  // As Node 20 and 22 do: the parser calls the second request in the context of the first.
  runInLane('gray', () => {
    runRequest(ingress(second), second, new EventEmitter(), () => {
      heard.push(lane())
      second.on('end', () => heard.push(lane()))
    })
    second.emit('end')
  })
  t.strictSame(heard, [undefined, undefined])
})

t.test('an untagged request that starts in a lane runs outside of it, on a fresh socket too', async t => {
  const message = request({})
  const seen = runInLane('gray', () => runRequest(ingress(message), message, new EventEmitter(), lane))
  t.equal(seen, undefined)
})

t.test('listeners of an untagged request stay out of the lane that the socket carried before', async t => {
  const socket = {}
  const first = request({ 'x-mse-tag': 'gray' }, socket)
  const second = request({}, socket)
  runRequest(ingress(first), first, new EventEmitter(), () => {})
  let heard: string | undefined
  runRequest(ingress(second), second, new EventEmitter(), () => {
    second.on('end', () => {
      heard = lane()
    })
  })
  // The body arrives in the context of the socket.
  runInLane('gray', () => second.emit('end'))
  t.equal(heard, undefined)
})

for (const way of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'] as const) {
  t.test(`a listener added by ${way} runs in the lane`, async t => {
    const message = request({ 'x-mse-tag': 'gray' })
    let heard: string | undefined
    runRequest(ingress(message), message, new EventEmitter(), () => {
      const result = message[way]('end', () => {
        heard = lane()
      })
      t.equal(result, message)
    })
    message.emit('end')
    t.equal(heard, 'gray')
    t.strictSame(message.eventNames(), way.includes('nce') ? [] : ['end'])
  })
}

t.test('a request and its own response get one property each', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const response = Object.assign(new EventEmitter(), { req: message })
  const decision = ingress(message)
  const before = [Reflect.ownKeys(message).length, Reflect.ownKeys(response).length]
  const heard: (string | undefined)[] = []
  runRequest(decision, message, response, () => {
    response.on('finish', () => heard.push(lane()))
  })
  t.strictSame([Reflect.ownKeys(message).length - 1, Reflect.ownKeys(response).length - 1], before)
  t.equal(response.emit('finish'), true)
  t.equal(response.emit('close'), false)
  t.strictSame(heard, ['gray'])
})

t.test('a response that knows its request by a getter is bound without it', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const stream: { request: unknown } = { request: message }
  const response = Object.setPrototypeOf(new EventEmitter(), {
    __proto__: EventEmitter.prototype,
    get req() {
      return stream.request
    },
  }) as EventEmitter
  let heard: string | undefined
  runRequest(ingress(message), message, response, () => {
    response.on('close', () => {
      heard = lane()
    })
  })
  // As the compatibility API of HTTP/2 does when a stream closes.
  stream.request = undefined
  response.emit('close')
  t.equal(heard, 'gray')
})

t.test('a response whose request was taken away is in no lane, and still works', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const response: EventEmitter & { req?: unknown } = Object.assign(new EventEmitter(), { req: message as unknown })
  const heard: (string | undefined)[] = []
  runRequest(ingress(message), message, response, () => response.on('close', () => heard.push(lane())))
  response.req = null
  runInLane('blue', () => response.emit('close'))
  t.strictSame(heard, [undefined])
})

t.test('an emitter with an emit of its own keeps it', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const emitted: unknown[] = []
  message.emit = (event: string | symbol, ...args: unknown[]) => {
    emitted.push(event)
    return EventEmitter.prototype.emit.call(message, event, ...args)
  }
  let heard: string | undefined
  runRequest(ingress(message), message, new EventEmitter(), () => {
    message.on('end', () => {
      heard = lane()
    })
  })
  message.emit('end')
  t.equal(heard, 'gray')
  t.strictSame(emitted, ['end'])
})

t.test('a request bound to another lane by hand stays in that one', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const response = Object.assign(new EventEmitter(), { req: message })
  const heard: (string | undefined)[] = []
  runRequest(ingress(message), message, response, () => {
    for (const emitter of [message, response]) {
      bindEmitter(emitter, parseLane('blue'))
      emitter.on('close', () => heard.push(lane()))
    }
  })
  message.emit('close')
  response.emit('close')
  t.strictSame(heard, ['blue', 'blue'])
})

t.test('a request and a response whose emit was wrapped between two ingresses call each listener once', async t => {
  const heard: unknown[] = []
  const message = request({ 'x-mse-tag': 'gray' })
  const response = Object.assign(new EventEmitter(), { req: message })
  runRequest(ingress(message), message, response, () => {})
  for (const emitter of [message, response]) {
    const { emit } = emitter
    // As an agent does that binds the emitters of a request to its own context.
    emitter.emit = (...args) => {
      heard.push('wrapper')
      return Reflect.apply(emit, emitter, args)
    }
  }
  const outer = ingress(message)
  runRequest(outer, message, response, () => {
    message.on('end', () => heard.push(lane()))
    response.on('finish', () => heard.push(lane()))
  })
  message.emit('end')
  response.emit('finish')
  t.strictSame(heard, ['wrapper', 'gray', 'wrapper', 'gray'])
  bindEmitter(message, parseLane('blue'))
  message.emit('end')
  t.equal(heard.at(-1), 'blue', 'the lane of the latest binding counts')
})

t.test('a request whose prototype is replaced on the way uses the methods of the new one', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const seen: unknown[] = []
  const proto = {
    on(this: EventEmitter, event: string, listener: () => void) {
      seen.push(event)
      return EventEmitter.prototype.on.call(this, event, listener)
    },
  }
  runRequest(ingress(message), message, new EventEmitter(), () => {
    Object.setPrototypeOf(message, Object.setPrototypeOf(proto, Object.getPrototypeOf(message)))
    message.on('end', () => seen.push(lane()))
  })
  message.emit('end')
  t.strictSame(seen, ['end', 'gray'])
})

t.test('a request that passes two ingresses keeps one binding, and gets back a lane that was lost between', async t => {
  const message = request({ 'x-mse-tag': 'gray' })
  const response = new EventEmitter()
  const decision = ingress(message)
  const heard: (string | undefined)[] = []
  runRequest(decision, message, response, () => {
    message.on('end', () => heard.push(lane()))
    runInLane(undefined, () =>
      runRequest(ingress(message), message, response, () => {
        heard.push(lane())
        message.on('close', () => heard.push(lane()))
      }),
    )
  })
  message.emit('end')
  message.emit('close')
  t.strictSame(heard, ['gray', 'gray', 'gray'])
})

t.test('arguments, result and errors pass through', async t => {
  for (const headers of [{}, { 'x-mse-tag': 'gray' }] as Record<string, string>[]) {
    const message = request(headers)
    const run = <R>(fn: (a: number, b: number) => R) =>
      runRequest(ingress(message), message, new EventEmitter(), fn, 1, 2)
    t.equal(
      run((a, b) => a + b),
      3,
    )
    t.throws(
      () =>
        run(() => {
          throw new Error('from the handler')
        }),
      { message: 'from the handler' },
    )
  }
})
