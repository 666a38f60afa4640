-- A role and a database for each service, as PostgreSQL's first start makes them; nobody else may enter one.
\set ON_ERROR_STOP on
\getenv intake INTAKE_DATABASE_PASSWORD
\getenv router ROUTER_DATABASE_PASSWORD
\getenv escalation ESCALATION_DATABASE_PASSWORD
\getenv audit AUDIT_DATABASE_PASSWORD
\getenv kb_search KB_SEARCH_DATABASE_PASSWORD

CREATE ROLE "intake" LOGIN PASSWORD :'intake';
CREATE DATABASE "intake" OWNER "intake";
REVOKE CONNECT ON DATABASE "intake" FROM PUBLIC;

CREATE ROLE "router" LOGIN PASSWORD :'router';
CREATE DATABASE "router" OWNER "router";
REVOKE CONNECT ON DATABASE "router" FROM PUBLIC;

CREATE ROLE "escalation" LOGIN PASSWORD :'escalation';
CREATE DATABASE "escalation" OWNER "escalation";
REVOKE CONNECT ON DATABASE "escalation" FROM PUBLIC;

CREATE ROLE "audit" LOGIN PASSWORD :'audit';
CREATE DATABASE "audit" OWNER "audit";
REVOKE CONNECT ON DATABASE "audit" FROM PUBLIC;

CREATE ROLE "kb-search" LOGIN PASSWORD :'kb_search';
CREATE DATABASE "kb-search" OWNER "kb-search";
REVOKE CONNECT ON DATABASE "kb-search" FROM PUBLIC;
