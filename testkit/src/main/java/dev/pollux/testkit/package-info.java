/** What tests of Pollux, and of implementations of its interfaces, share: reference data, fakes, contracts, leak checks. */
@NullMarked
package dev.pollux.testkit;

import org.jspecify.annotations.NullMarked;
