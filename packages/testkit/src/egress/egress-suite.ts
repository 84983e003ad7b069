import type { Test } from 'tap'
import type { EgressAdapter } from './egress-adapter.js'
import { headerListSentences } from './sentences/header-list.js'
import { laneSentences } from './sentences/lane.js'
import { loadSentences } from './sentences/load.js'
import { redirectSentences } from './sentences/redirect.js'
import { retrySentences } from './sentences/retry.js'
import { scopeSentences } from './sentences/scope.js'
import { switchSentences } from './sentences/switch.js'
import { waitSentences } from './sentences/wait.js'
import type { Sentences } from './sentences.js'

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
