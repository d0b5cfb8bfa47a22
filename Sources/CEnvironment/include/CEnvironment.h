/* Nothing to declare: see environment.c. */
