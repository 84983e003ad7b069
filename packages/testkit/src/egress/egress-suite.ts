import type { Test } from 'tap'
import type { EgressAdapter } from './egress-adapter.js'
import { headerListSentences } from './header-list-sentences.js'
import { laneSentences } from './lane-sentences.js'
import { loadSentences } from './load-sentences.js'
import { redirectSentences } from './redirect-sentences.js'
import { retrySentences } from './retry-sentences.js'
import { scopeSentences } from './scope-sentences.js'
import type { Sentences } from './sentences.js'
import { switchSentences } from './switch-sentences.js'
import { waitSentences } from './wait-sentences.js'

/** What every egress adapter must do with a request, with real servers on loopback. */
export async function egressSuite(t: Test, adapter: EgressAdapter): Promise<void> {
  const all: Sentences = {
    ...laneSentences,
    ...scopeSentences,
    ...retrySentences,
    ...waitSentences,
    ...loadSentences,
    ...switchSentences,
    ...headerListSentences,
    ...(adapter.following && redirectSentences),
  }
  for (const [sentence, test] of Object.entries(all)) {
    await t.test(`${adapter.name}: ${sentence}`, t => test(t, adapter))
  }
}
