/** What is known of an artifact wherever it goes: what made it, from what, and how. */
@NullMarked
package dev.pollux.artifact;

import org.jspecify.annotations.NullMarked;
