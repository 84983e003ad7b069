import t from 'tap'
import { renewedHandle } from '../src/isolation/receipt-handle.js'

const CASES = {
  'that names the beginning of the old checkpoint': [
    '96 17960 10000 6 1 broker-a 0 97 0 37',
    '97 17960 10000 6 1 broker-a 0 97 0 37',
  ],
  'without a place in the log': ['96 17960 10000 6 1 broker-a 0 97', '97 17960 10000 6 1 broker-a 0 97'],
  'that is right': ['97 17960 10000 6 1 broker-a 0 97 0 37', '97 17960 10000 6 1 broker-a 0 97 0 37'],
  'of an order': ['96 17960 10000 999 0 broker-a 0 97 0 37', '96 17960 10000 999 0 broker-a 0 97 0 37'],
  'of another kind of broker': ['MTIgMTc5NjAgMTAwMDA=', 'MTIgMTc5NjAgMTAwMDA='],
  'that lacks the offset': ['96 17960 10000 6 1 broker-a 0', '96 17960 10000 6 1 broker-a 0'],
  'that has no numbers': ['a b c d e f g h', 'a b c d e f g h'],
  'that is empty': ['', ''],
}

for (const [name, [handle, expected]] of Object.entries(CASES)) {
  t.test(`the handle of a renewed message ${name}`, async t => {
    t.equal(renewedHandle(handle!), expected)
  })
}
