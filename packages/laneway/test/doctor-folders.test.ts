import t from 'tap'
import { doctorTests } from './broken-set-ups.js'

// Each runs a program and waits for it.
t.jobs = 2
doctorTests(t, 10, 20)
