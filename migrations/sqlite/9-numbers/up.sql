-- The customer's number in the store, where a contact shows it: by it a job finds one who has neither e-mail nor phone.

ALTER TABLE job_contacts ADD COLUMN number TEXT;
CREATE INDEX job_contacts_number ON job_contacts (job, number) WHERE number IS NOT NULL;
