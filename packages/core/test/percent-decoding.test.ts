import { percentDecode } from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'

function byException(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const texts = [
  '',
  'a+b',
  '%',
  '%2',
  '%zz',
  '%41',
  '%7f%80',
  '%C2%A0',
  '%c2',
  '%C1%81',
  '%E0%9F%BF',
  '%E0%A0%80',
  '%ED%9F%BF',
  '%ED%A0%80',
  '%EF%BF%BF',
  '%F0%8F%BF%BF',
  '%F0%90%80%80',
  '%F4%8F%BF%BF',
  '%F4%90%80%80',
  '%F5%80%80%80',
  '%E4%B8%8',
  '上%E6%B5%B7',
  '\ud800%41',
]

t.test('escapes are undone as decodeURIComponent does, and refused without an exception', async t => {
  for (const text of texts) t.equal(percentDecode(text), byException(text), JSON.stringify(text))
  const piece = fc.oneof(
    fc.constantFrom('%', '%E2', '%82', '%AC', '%F0', '%9F', '%ED', '%A0', '%C0', '%41', 'a', 'é', '%f', '%25'),
    fc.nat(255).map(byte => `%${byte.toString(16).padStart(2, '0')}`),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
      const text = pieces.join('')
      if (percentDecode(text) !== byException(text)) throw new Error(text)
    }),
    { numRuns: 20_000 },
  )
})
