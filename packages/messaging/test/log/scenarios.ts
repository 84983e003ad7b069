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
/** A lane that announced long ago, and ends. */
const END: Scenario = {
  ...START,
  announced: ['gray'],
  ends: 1,
  skewsMs: [-60_000, 57_001],
  ticksMs: [2998, 60_000],
  untilMs: 2998 + 60_000,
}
const NO_LANE = { lanes: [] }

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
  { name: 'end, clocks within the limit', scenario: { ...END, ...NO_LANE }, finds: false },
  {
    name: 'end, a member of the lane lives or returns',
    scenario: { ...END, untilMs: 2998 + 2 * 60_000 },
    finds: false,
    long: true,
  },
  { name: 'end, a crash', scenario: { ...END, ...NO_LANE, crashes: 1 }, finds: false, long: true },
  { name: 'end, twice', scenario: { ...END, ...NO_LANE, ends: 2 }, finds: false, long: true },

  { name: 'beyond: start, 3.002 s ahead', scenario: { ...START, skewsMs: [3002] }, finds: true },
  {
    name: 'beyond: start, a slow broker',
    scenario: { ...START, showsAfterMs: 1000, skewsMs: [2002], ticksMs: [3998] },
    finds: true,
  },
  { name: 'beyond: end, 57.002 s ahead', scenario: { ...END, ...NO_LANE, skewsMs: [57_002] }, finds: true },
  {
    name: 'beyond: end, 60.001 s late',
    scenario: { ...END, ...NO_LANE, skewsMs: [-60_001], untilMs: 2 * 60_000 },
    finds: true,
  },

  { name: 'control: who lives is polled', scenario: { ...START, fault: 'poll' }, finds: true },
  {
    name: 'control: offsets are copied, not announced',
    scenario: {
      ...START,
      lanes: ['gray', 'gray'],
      skewsMs: [2999],
      crashes: 1,
      untilMs: 3 * 2998,
      fault: 'copied-offsets',
    },
    finds: true,
  },
  {
    name: 'control: an old view may decide',
    scenario: { ...START, agesMs: [0, 8994], fault: 'stale-view' },
    finds: true,
  },
  {
    name: 'control: an end without lead',
    scenario: { ...END, ...NO_LANE, skewsMs: [0], fault: 'short-end' },
    finds: true,
  },
  {
    name: "control: the writer's clock begins",
    scenario: { ...START, skewsMs: [0], fault: 'writer-clock' },
    finds: true,
  },
  {
    name: 'control: a key is written again',
    scenario: { ...START, skewsMs: [0], untilMs: 5 * 2998, fault: 'write-again' },
    finds: true,
  },
]

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
