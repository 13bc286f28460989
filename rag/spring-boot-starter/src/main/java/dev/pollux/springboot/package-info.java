/**
 * Auto-configuration of Pollux in Spring Boot. The contract is the properties {@code pollux.*} and the beans; no type is public.
 */
@NullMarked
package dev.pollux.springboot;

import org.jspecify.annotations.NullMarked;
