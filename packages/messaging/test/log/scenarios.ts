import type { Scenario } from './protocol-state.js'

/** A scenario, and whether its exploration has to find something. */
export interface Case {
  readonly name: string
  readonly scenario: Scenario
  readonly finds: boolean
  /** Takes longer than a second: for the long form alone. */
  readonly long?: boolean
}

// A view of 2999 ms is the oldest that may decide. A step of 2998 ms after an announcement is the last moment at which it
// does not show it. So the limits are met to the millisecond.
const START: Scenario = {
  base: 1,
  lanes: ['gray'],
  tags: ['gray'],
  skewsMs: [3001],
  agesMs: [0, 2999],
  ticksMs: [2998],
  messages: 1,
  crashes: 0,
  ends: 0,
  partitions: [1, 0],
  untilMs: 3 * 2998,
}
/** A step is the lead, so that a lane owns at once what comes after one. */
const LATER: Scenario = { ...START, skewsMs: [0], ticksMs: [6000], untilMs: 2 * 6000 }
/** A lane that announced long ago, and ends. */
const END: Scenario = {
  ...START,
  announced: ['gray'],
  ends: 1,
  skewsMs: [-60_000, 57_001],
  ticksMs: [2998, 60_000],
  untilMs: 2998 + 60_000,
}
const ENDED: Scenario = { ...END, lanes: [] }
/** The same where clocks are ahead, and where they are behind or messages late: the rest of the time passes at the end. */
const AHEAD: Scenario = { ...ENDED, skewsMs: [57_001], ticksMs: [2998], untilMs: 3 * 2998 }
const LATE: Scenario = { ...ENDED, skewsMs: [-60_000], ticksMs: [60_000], untilMs: 3 * 60_000 }

export const CASES: readonly Case[] = [
  { name: 'start, clocks within the limit', scenario: START, finds: false },
  { name: 'start, a crash', scenario: { ...START, crashes: 1 }, finds: false, long: true },
  { name: 'start, messages that were sent late', scenario: { ...START, skewsMs: [-30_000, 0] }, finds: false },
  {
    name: 'start, a slow broker',
    scenario: { ...START, showsAfterMs: 1000, skewsMs: [2001], ticksMs: [3998] },
    finds: false,
  },
  {
    name: 'start, a partition is added',
    scenario: { ...START, partitions: [1, 1], untilMs: 2 * 2998 },
    finds: false,
    long: true,
  },
  {
    name: 'two instances announce',
    scenario: { ...START, lanes: ['gray', 'gray'] },
    finds: false,
    long: true,
  },
  { name: 'two messages', scenario: { ...START, messages: 2 }, finds: false, long: true },
  { name: 'two of base', scenario: { ...START, base: 2 }, finds: false, long: true },
  {
    name: 'a list of tags, the second lane lives, the first comes',
    scenario: { ...START, announced: ['gray'], lanes: ['gray-2'], tags: ['gray-2,gray'] },
    finds: false,
    long: true,
  },
  { name: 'end, clocks ahead within the limit', scenario: AHEAD, finds: false },
  { name: 'end, messages late within the limit', scenario: LATE, finds: false },
  { name: 'end, either', scenario: ENDED, finds: false, long: true },
  {
    name: 'end, a member of the lane lives or returns',
    scenario: { ...END, untilMs: 2998 + 2 * 60_000 },
    finds: false,
    long: true,
  },
  { name: 'end, a crash', scenario: { ...ENDED, crashes: 1 }, finds: false, long: true },
  { name: 'end, twice', scenario: { ...ENDED, ends: 2 }, finds: false, long: true },

  { name: 'beyond: start, 3.002 s ahead', scenario: { ...START, skewsMs: [3002] }, finds: true },
  {
    name: 'beyond: start, a slow broker',
    scenario: { ...START, showsAfterMs: 1000, skewsMs: [2002], ticksMs: [3998] },
    finds: true,
  },
  { name: 'beyond: end, 57.002 s ahead', scenario: { ...AHEAD, skewsMs: [57_002] }, finds: true },
  {
    name: 'beyond: end, 60.001 s late',
    scenario: { ...LATE, skewsMs: [-60_001] },
    finds: true,
  },

  { name: 'control: who lives is polled', scenario: { ...START, fault: 'poll' }, finds: true },
  {
    name: 'control: an old view may decide',
    scenario: { ...START, agesMs: [0, 8994], fault: 'stale-view' },
    finds: true,
  },
  {
    name: 'control: an end without lead',
    scenario: { ...AHEAD, skewsMs: [0], fault: 'short-end' },
    finds: true,
  },
  { name: "control: the writer's clock begins", scenario: { ...LATER, fault: 'writer-clock' }, finds: true },
  { name: 'control: a key is written again', scenario: { ...LATER, fault: 'write-again' }, finds: true },
]

/** Two instances of a lane find no announcement; the second goes on after the first has come and gone. */
export const STALLED: { readonly scenario: Scenario; readonly schedule: readonly string[] } = {
  scenario: { ...LATER, lanes: ['gray', 'gray'], crashes: 1 },
  schedule: [
    '0 starts',
    '1 starts',
    '2 starts',
    '1 takes the offsets of base',
    '2 takes the offsets of base',
    '1 sets the offsets of gray',
    '1 announces gray',
    '1 joins gray',
    '6000 ms pass',
    'message [gray] to 0, clock 0 ms',
    '0 skips /0 0, view of 0 ms',
    '0 commits /0 1',
    '1 crashes',
    '2 sets the offsets of gray',
    '2 announces gray',
    '2 joins gray',
  ],
}

/** Too large to explore: random schedules. */
export const LARGE: Scenario = {
  base: 2,
  lanes: ['gray', 'gray', 'gray-2'],
  tags: ['', 'gray', 'gray-2,gray'],
  skewsMs: [-30_000, 0, 2999],
  agesMs: [0, 1500, 2999],
  ticksMs: [700, 2998, 30_000],
  messages: 12,
  crashes: 4,
  ends: 2,
  partitions: [2, 1],
  untilMs: 400_000,
}
