"""The lanes of a store: one worker and one bounded queue each, and the screen they show."""
