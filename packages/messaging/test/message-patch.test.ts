import { giveAtFirstCall } from '@laneway/messaging/internal'
import t from 'tap'

/** A client, given lanes as the packages do it: own methods that call those which the object had. */
function patchedClient() {
  const faults: unknown[] = []
  const given = new WeakSet<object>()
  class Client {
    sent: string[] = []
    send(text: string): number {
      return this.sent.push(`send ${text}`)
    }
    sendAll(texts: string[]): number {
      return this.sent.push(`all ${texts}`)
    }
  }
  const give = (one: object): void => {
    if ('broken' in one) throw new Error('a fault')
    const client = one as Client
    const { send, sendAll } = client
    given.add(one)
    Object.assign(client, {
      send: (text: string) => send.call(client, `tagged ${text}`),
      sendAll: (texts: string[]) =>
        sendAll.call(
          client,
          texts.map(text => `tagged ${text}`),
        ),
    })
  }
  giveAtFirstCall(
    Client.prototype,
    ['send', 'sendAll', 'other'],
    one => given.has(one),
    give,
    error => faults.push(error),
  )
  return { Client, faults, given }
}

t.test('the first call and those after it go through what was given', async t => {
  const { Client, faults } = patchedClient()
  const client = new Client()
  t.equal(client.send('1'), 1)
  client.send('2')
  client.sendAll(['3', '4'])
  t.strictSame(client.sent, ['send tagged 1', 'send tagged 2', 'all tagged 3,tagged 4'])
  t.equal(Client.prototype.send.name, 'send')
  t.equal(Client.prototype.send.length, 1)
  t.notOk('other' in Client.prototype)
  t.strictSame(faults, [])
})

t.test('a class of the application that calls super does its part once for each call', async t => {
  const { Client } = patchedClient()
  class Named extends Client {
    calls = 0
    override send(text: string): number {
      this.calls++
      return super.send(`named ${text}`)
    }
  }
  const one = new Named()
  one.send('1')
  one.send('2')
  one.sendAll(['3'])
  t.strictSame(one.sent, ['send tagged named 1', 'send tagged named 2', 'all tagged 3'])
  t.equal(one.calls, 2)
  t.notOk(Object.hasOwn(one, 'send'), 'the method of the class stays what is called')
  const other = new Named()
  other.sendAll(['3'])
  other.send('4')
  t.strictSame(other.sent, ['all tagged 3', 'send tagged named 4'])
  t.equal(other.calls, 1)
})

t.test('a method that the application has put on the object stays, and goes through what was given', async t => {
  const { Client } = patchedClient()
  const one = new Client()
  const send = (text: string) => Client.prototype.send.call(one, `own ${text}`)
  one.send = send
  one.send('1')
  one.send('2')
  t.strictSame(one.sent, ['send tagged own 1', 'send tagged own 2'])
  t.equal(one.send, send)
})

t.test('a fault is told once, and the object works as without lanes', async t => {
  const { Client, faults } = patchedClient()
  class Broken extends Client {
    broken = true
    override send(text: string): number {
      return super.send(`own ${text}`)
    }
  }
  const one = new Broken()
  one.send('1')
  one.send('2')
  one.sendAll(['3'])
  t.strictSame(one.sent, ['send own 1', 'send own 2', 'all 3'])
  t.equal(faults.length, 1)
  t.notOk(Object.hasOwn(one, 'send'))
})

t.test('an object that has lanes, or cannot be changed, is left as it is', async t => {
  const { Client, faults, given } = patchedClient()
  const one = new Client()
  given.add(one)
  one.send('1')
  t.strictSame(one.sent, ['send 1'])
  const frozen = Object.freeze(new Client())
  frozen.send('1')
  t.strictSame(frozen.sent, ['send 1'])
  t.equal(faults.length, 1)
})
