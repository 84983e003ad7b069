import { currentLane, runInLane } from '@laneway/core'
import { createMessagePatch } from '@laneway/rocketmq/patch'
import t from 'tap'

/** Classes as the client exports them; the real ones are in test/messages. */
function client(service: object) {
  class PushConsumer {
    service: any
    started: string[] = []
    createConsumeService(): object {
      return service
    }
    startup(): void {
      this.started.push(currentLane()?.header ?? 'no lane')
      this.service = this.createConsumeService()
    }
  }
  const faults: unknown[] = []
  createMessagePatch({ isolates: () => false, warn: text => t.fail(text), fault: error => faults.push(error) })({
    PushConsumer,
    Other: class {},
    nothing: undefined,
  })
  return { PushConsumer, faults }
}

t.test('a consumer handles each message in its lane, whoever starts it', async t => {
  const seen: string[] = []
  const { PushConsumer, faults } = client({
    consumeMessage: () => seen.push(currentLane()?.header ?? 'no lane'),
  })
  const one = new PushConsumer()
  runInLane('blue', () => one.startup())
  t.strictSame(one.started, ['no lane'])
  one.service.consumeMessage({ topic: 'orders', properties: new Map([['x-mse-tag', 'gray']]) })
  runInLane('red', () => one.service.consumeMessage({ topic: 'orders', properties: new Map() }))
  t.strictSame(seen, ['gray', 'no lane'])
  t.strictSame(faults, [])
})

t.test('a version of the client that is not known works without lanes, and the fault is told', async t => {
  const service = {}
  const { PushConsumer, faults } = client(service)
  const one = new PushConsumer()
  one.startup()
  t.equal(one.service, service)
  t.match(faults, [{ message: /does not know this version of rocketmq-client-nodejs/ }])
})
