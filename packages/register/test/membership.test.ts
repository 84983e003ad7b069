import { createServer } from 'node:http'
import { LanewayError } from '@laneway/core'
import { eventually } from '@laneway/testkit'
import t from 'tap'
import type { Registration } from '../src/discovery/discovery.js'
import { createMembership } from '../src/lifecycle/membership.js'

const refusal = () => new LanewayError('LANEWAY_AUTH', 'login of "me" failed')

/** A registry that answers with the next of these. */
function registry(...answers: (Error | 'taken')[]) {
  const warnings: string[] = []
  const left: string[] = []
  let asked = 0
  const register = async (): Promise<Registration> => {
    const answer = answers[Math.min(asked++, answers.length - 1)]!
    if (answer !== 'taken') throw answer
    return { ip: '10.0.0.1', port: 8080, deregister: async () => void left.push('left') }
  }
  const membership = createMembership('sc-a', register, message => warnings.push(message))
  return { membership, warnings, left, asked: () => asked }
}

t.test('a registration that the registry refuses is tried again until it is taken', async t => {
  const { membership, warnings, left } = registry(refusal(), 'taken')
  t.equal(membership.registration.state, 'not-listening')
  membership.register(createServer(), 8080)
  t.equal(membership.registration.state, 'waiting')
  await eventually(() => membership.registration.state === 'failed')
  t.match(membership.registration.error, /login of "me" failed/)
  await eventually(() => membership.registration.state === 'registered')
  t.match(membership.registration, { address: '10.0.0.1:8080', error: undefined })
  t.same(warnings, ['sc-a could not be registered, trying again: LANEWAY_AUTH: login of "me" failed'])
  await membership.deregister()
  t.same(left, ['left'])
})

t.test('a process that ends while it is refused waits for nothing', async t => {
  const { membership, asked } = registry(refusal())
  membership.register(createServer(), 8080)
  await eventually(() => membership.registration.state === 'failed')
  await membership.deregister()
  t.equal(membership.registration.state, 'left')
  t.equal(asked(), 1)
})

t.test('a mistake in the settings is reported once and not tried again', async t => {
  const { membership, warnings, asked } = registry(new LanewayError('LANEWAY_INVALID_OPTION', 'ip must be an address'))
  membership.register(createServer(), 8080)
  await eventually(() => membership.registration.state === 'failed')
  t.same(warnings, ['sc-a could not be registered: LANEWAY_INVALID_OPTION: ip must be an address'])
  await membership.deregister()
  t.equal(asked(), 1)
})
