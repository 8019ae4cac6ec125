"""A results repository: published studies as nothing but files, so that a pull request is a submission."""

from benchsuite.publishing.repository.folder import Repository
from benchsuite.publishing.repository.publish import Published, publish_study
from benchsuite.publishing.repository.submission import Submission

__all__ = ["Published", "Repository", "Submission", "publish_study"]
